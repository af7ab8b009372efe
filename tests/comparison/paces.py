"""As little as a comparison can measure, so that everything is run and nobody waits."""

from coatcheck.comparison.run import Pace
from coatcheck.comparison.timing import Effort
from coatcheck.comparison.windows.lifetimes import Lifetime
from coatcheck.comparison.windows.rows import Extent

TINY = Pace(
    checks=Effort(rounds=2, figures=3, sample_ms=0.5),
    stores=Effort(rounds=2, figures=3, sample_ms=0.5),
    connections=2,
    processes=1,
    rows=20,
    cookies=12,
    windows=Extent(lifetime=Lifetime(seconds=0.3, holders=3), rounds=2),
)
