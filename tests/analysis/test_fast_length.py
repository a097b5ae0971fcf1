from scipy.fft import next_fast_len

from sttdoctor.analysis.fast_length import fast_length


def test_it_is_the_next_product_of_two_three_and_five():
    assert [fast_length(n) for n in range(1, 3000)] == [next_fast_len(n, real=True) for n in range(1, 3000)]
