"""`python -m streaming`: as `groundswell stream`."""

if __name__ == "__main__":
    # Here, because a process that gathers evidence imports this module too.
    from core.command_line import run
    from streaming.command import stream_command

    run(stream_command)
