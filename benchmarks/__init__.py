"""Speed and accuracy as commands that anyone can run again; those that need a stack start one of their own and leave nothing."""
