"""Speed and accuracy as commands; those that need servers start a stack of their own and remove it again."""
