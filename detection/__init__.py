"""The mathematics and the counting: what a count is, what is expected, how unusual it is; opens nothing."""
