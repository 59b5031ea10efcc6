"""Speed and accuracy as commands that anyone can run again; each starts a stack of its own and leaves nothing."""
