"""`python -m alignimation_index` is `alignindex`."""

from alignimation_index.cli import main

if __name__ == "__main__":
    main()
