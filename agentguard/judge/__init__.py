"""Stage 4, judge: what the policy says of it. Pure: no clock, no file but the policies it loads."""
