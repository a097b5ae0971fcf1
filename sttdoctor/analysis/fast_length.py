"""Lengths at which a Fourier transform is fast."""


def fast_length(least: int) -> int:
    """The smallest product of powers of 2, 3 and 5 that is at least `least` (1 or more)."""
    best = 1 << (least - 1).bit_length()
    fives = 1
    while fives < best:
        threes = fives
        while threes < best:
            twos = threes << max(0, (-(-least // threes) - 1).bit_length())
            best = min(best, twos)
            threes *= 3
        fives *= 5
    return best
