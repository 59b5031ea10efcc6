"""`python -m streaming`: as `groundswell stream`."""

from core.command_line import run

if __name__ != "__mp_main__":  # which it is in a process that gathers evidence; that needs no Spark
    from streaming.command import stream_command

if __name__ == "__main__":
    run(stream_command)
