"""`python -m groundswell`: the command `groundswell`, where it is not on the PATH."""

from groundswell.command import main

if __name__ == "__main__":
    main()
