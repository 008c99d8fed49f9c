"""``python -m ari_estimator`` is the ``ari`` command."""

import sys

from ari_estimator.cli import main

if __name__ == "__main__":
    sys.exit(main())
