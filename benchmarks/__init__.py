"""Speed and memory, side by side with a peer on the same data in one run. By hand: ``make bench``; never in tests."""
