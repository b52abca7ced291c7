"""A clock that goes when it is told to."""


class HandTime:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s

    def goes(self, seconds: float) -> None:
        self.now_s += seconds
