"""Template tags of the design system; ``docs/reference/design-system.md`` shows each in use."""
