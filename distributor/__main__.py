"""`python -m distributor` is the program `distributor`."""

from distributor.cli.main import main

if __name__ == "__main__":
    main()
