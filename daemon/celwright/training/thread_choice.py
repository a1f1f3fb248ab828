"""How many threads a training uses. Knows torch's threads and the clock."""

import time

import torch


class ThreadChoice:
    """Tries one thread and all allowed ones now and then and keeps what is faster: on a machine shared with others
    two threads that wait for each other can be slower than one."""

    PERIOD, TRIAL = 96, 6  # steps

    def __init__(self, most: int) -> None:
        self.most = most
        self.began = 0.0
        self.single = 0.0
        torch.set_num_threads(most)

    def before_step(self, step: int) -> None:
        phase = step % self.PERIOD
        if self.most == 1 or phase not in (0, self.TRIAL, 2 * self.TRIAL):
            return
        spent, self.began = time.monotonic() - self.began, time.monotonic()
        if phase == 0:
            torch.set_num_threads(1)
        elif phase == self.TRIAL:
            self.single = spent
            torch.set_num_threads(self.most)
        elif self.single < spent:
            torch.set_num_threads(1)
