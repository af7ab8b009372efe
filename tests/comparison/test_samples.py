"""What figures amount to, and how they are said."""

import random

import pytest

from coatcheck.comparison.figures import say_count, say_octets, say_seconds, say_share
from coatcheck.comparison.noise import is_noisy, noise_of
from coatcheck.comparison.samples import make_sample, scaled


def test_a_sample_has_the_quartiles_of_all_figures_and_the_medians_of_the_rounds() -> None:
    sample = make_sample([[3.0, 1.0, 2.0], [], [4.0, 5.0]], calls=50)
    assert (sample.minimum, sample.first_quartile, sample.median, sample.third_quartile) == (1, 2, 3, 4)
    assert sample.maximum == sample.p99 == 5
    assert sample.rounds == (2.0, 4.5)
    assert sample.count == 5
    assert sample.calls == 50
    assert sample.figures == (1, 2, 3, 4, 5)


def test_one_figure_is_a_sample_without_noise() -> None:
    sample = make_sample([[2.0]])
    assert sample.first_quartile == sample.third_quartile == sample.p99 == 2
    assert sample.noise == 0


def test_nothing_is_no_sample() -> None:
    with pytest.raises(ValueError, match="nothing"):
        make_sample([[], []])


def test_the_99th_percentile_is_the_least_that_99_of_100_do_not_exceed() -> None:
    figures = [float(number) for number in range(1, 1001)]
    random.shuffle(figures)
    assert make_sample([figures]).p99 == 990


def test_the_noise_is_that_between_rounds_and_not_within_them() -> None:
    alike = make_sample([[1.0, 9.0, 5.0]] * 8)
    apart = make_sample([[10.0 + number] * 3 for number in range(9)])
    assert alike.noise == 0
    assert apart.noise == pytest.approx(2 / 14)


def test_many_figures_are_thinned_and_keep_both_ends() -> None:
    sample = make_sample([[float(number) for number in range(10_000)]])
    assert len(sample.figures) == 400
    assert sample.figures[0] == 0
    assert sample.figures[-1] == 9999
    assert list(sample.figures) == sorted(sample.figures)
    assert sample.count == 10_000


def test_scaling_multiplies_times_and_leaves_shares_and_counts() -> None:
    sample = make_sample([[1.0, 2.0, 4.0, 8.0, 16.0]])
    larger = scaled(sample, 60)
    assert larger.median == 240
    assert list(larger.figures) == [60, 120, 240, 480, 960]
    assert list(larger.rounds) == [240]
    assert larger.noise == sample.noise
    assert larger.count == larger.calls == 5


@pytest.mark.parametrize(
    "rounds, said, noisy",
    [
        ([[1.0]] * 9, "was quiet", False),
        ([[1.0]] * 6 + [[1.1]] * 6, "somewhat busy", False),
        ([[1.0]] * 6 + [[2.0]] * 6, "was busy", True),
        ([[1.0] * 97 + [9.0] * 3] * 4, "one in a hundred took 9 times", False),
    ],
    ids=["quiet", "slower at the end", "much slower at the end", "seldom very slow"],
)
def test_the_noise_of_the_yardstick_is_said_in_words(
    rounds: list[list[float]], said: str, *, noisy: bool
) -> None:
    noise = noise_of(rounds)
    assert said in noise.verdict
    assert is_noisy(noise) is noisy
    assert 0 < noise.resolution < 1


def test_a_machine_that_became_faster_has_drifted_too() -> None:
    assert noise_of([[2.0]] * 4 + [[1.0]] * 4).drift == -0.5


@pytest.mark.parametrize(
    "seconds, said",
    [
        (0, "0 ns"),
        (8.5e-7, "850 ns"),
        (2.134e-6, "2.13 µs"),
        (0.0034, "3.4 ms"),
        (1, "1 s"),
        (60, "60 s"),
        (300, "5 min"),
        (86_400, "24 h"),
        (2_592_000, "30 d"),
    ],
)
def test_durations_are_said_with_a_fitting_unit(seconds: float, said: str) -> None:
    assert say_seconds(seconds) == said


@pytest.mark.parametrize(
    "octets, said",
    [(70, "70 B"), (1634, "1.63 kB"), (18.1e9, "18.1 GB"), (2.5e12, "2.5 TB"), (3e17, "300 PB")],
)
def test_sizes_are_said_by_thousands(octets: float, said: str) -> None:
    assert say_octets(octets) == said


@pytest.mark.parametrize(
    "number, said",
    [(0, "0"), (0.0123456, "0.0123"), (4.2, "4.2"), (71_234, "71,200"), (1_234_567, "1,230,000")],
)
def test_counts_have_three_digits_that_mean_something(number: float, said: str) -> None:
    assert say_count(number) == said


def test_shares_are_percentages() -> None:
    assert [say_share(each) for each in (0.384, 0.0053, 1.2)] == ["38 %", "0.53 %", "120 %"]
