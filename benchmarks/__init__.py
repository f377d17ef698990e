"""Speed as ratios against what a user could do instead, in one run on one machine: ``make bench``."""
