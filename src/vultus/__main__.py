"""`python -m vultus`, which torchrun needs."""

from vultus.cli import main

if __name__ == "__main__":
    main()
