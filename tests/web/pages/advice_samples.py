"""The adviser in its states."""

from coatcheck.advice.case_file import write_case
from coatcheck.advice.deciding import advise
from coatcheck.advice.model import Case
from coatcheck.web.pages.advice_views import AdviceView

CLASSIC = Case(clients=("browser",))
CONTRADICTORY = Case(
    clients=("spa", "mobile", "machine", "agent"),
    hosts="domains",
    backend=False,
    verifiers=("services", "third-parties"),
    offline="verifiers",
    hidden=True,
    assurance="aal2",
)
ADVICE_SAMPLES = {
    "advice-none": AdviceView(answers={"clients": ("browser",)}),
    "advice-no-client": AdviceView(answers={}, trouble="Choose at least one of what calls you."),
    "advice-classic": AdviceView(
        answers={"clients": ("browser",)}, advice=advise(CLASSIC), case_file=write_case(CLASSIC)
    ),
    "advice-contradictory": AdviceView(
        answers={"clients": CONTRADICTORY.clients, "assurance": ("aal2",)},
        advice=advise(CONTRADICTORY),
        case_file=write_case(CONTRADICTORY),
    ),
}
