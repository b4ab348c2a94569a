"""What all tests share."""

import signal

pytest_plugins = ["pytester"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # So it is for what a shell starts in the background, and every process that a test starts would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
