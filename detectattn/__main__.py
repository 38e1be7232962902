"""``python -m detectattn``."""

from detectattn.cli.app import main

if __name__ == "__main__":
    main()
