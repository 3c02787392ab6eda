"""The command of a run that is a block of a notebook: waits until the block has ended. See ``dv.run``."""

import os
import socket
import sys


def main() -> int:
    place = os.environ.get("DV_BLOCK")
    if not place:
        name = sys.argv[1] if len(sys.argv) > 1 else "?"
        print(f"The block '{name}' of a notebook cannot be run by itself: run the notebook.", file=sys.stderr)
        return 1
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(place)
        connection.sendall(os.fsencode(os.environ.get("DV_RUN_LOG", "")) + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            piece = connection.recv(64)
            if not piece:
                print("The process of the block ended before the block.", file=sys.stderr)
                return 1
            answer += piece
    return 0 if answer == b"ok\n" else 1


if __name__ == "__main__":
    sys.exit(main())
