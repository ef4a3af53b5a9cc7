"""A real online wholesaler: the definitions, tree, targets and questions for the UCI "Online Retail" file."""
