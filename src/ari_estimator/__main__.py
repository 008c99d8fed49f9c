"""``python -m ari_estimator`` is the ``ari`` command."""

from ari_estimator._cli import main

if __name__ == "__main__":
    main()
