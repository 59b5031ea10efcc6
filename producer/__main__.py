"""`python -m producer`: posts into Kafka, and posts of a simulated world into files."""

from producer.cli import main

if __name__ == "__main__":
    main()
