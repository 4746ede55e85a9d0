"""What a soak says: as it goes, and at its end."""

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable

from tests.soak.faults import Trouble, Window
from tests.soak.gauges import Gauges, Sample, lives, slope_per_hour, warm
from tests.soak.people import People

UNEXPLAINED_MAX = 60
ROLES = ("web", "worker", "speech")
LONG_S = 300
MEASURES: dict[str, Callable[[Sample], float]] = {
    "MiB": lambda sample: sample.rss_mib,
    "files": lambda sample: sample.files,
    "threads": lambda sample: sample.threads,
}


def say(line: str) -> None:
    """A line with the time of day."""
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"


def tell(people: People, windows: Iterable[Window], troubles: list[Trouble], unexplained: list[Trouble]) -> None:
    """Who asked for what, what went wrong, what was noticed of it."""
    explained = [each for each in troubles if each not in unexplained]
    print(f"\n## People\n\n{_counted(people.counts)}\n\nanswers: {_counted(people.asking.answers)}")
    for what, took_s in sorted(people.asking.took_s.items()):
        ranked = sorted(took_s)
        middle, worst = statistics.median(ranked), ranked[-1]
        print(f"{what}: {len(ranked)} answers, median {middle * 1000:.0f} ms, slowest {worst:.1f} s")
    print(f"\n## Faults\n\n{_counted(Counter(window.kind.name for window in windows))}")
    print(f"\n## Explained by a fault\n\n{_counted(Counter(f'{each.what}: {each.outcome}' for each in explained))}")
    print(f"\n## Unexplained: {len(unexplained)}\n")
    for each in unexplained[:UNEXPLAINED_MAX]:
        at = time.strftime("%H:%M:%S", time.localtime(each.until_s))
        print(f"{at} {each.machine} {each.what}: {each.outcome}; {each.until_s - each.at_s:.1f} s; {each.detail}")


def tell_growth(gauges: Gauges, *, since_s: float) -> None:
    """How memory, files and threads grow by role, over warm samples after a moment."""
    print("\n## Held by processes\n\n| role | lives | samples | memory | files | threads | peak |")
    print("|---|---|---|---|---|---|---|")
    for role in ROLES:
        mine = [sample for sample in gauges.samples if sample.role == role]
        steady = warm(mine, since_s)
        grows = [f"{_slope(steady, value)} {unit}/h" for unit, value in MEASURES.items()]
        peak = f"{max((s.rss_mib for s in mine), default=0):.0f} MiB, {max((s.files for s in mine), default=0)} files"
        print(f"| {role} | {len(lives(mine))} | {len(steady)} | {' | '.join(grows)} | {peak} |")
    print(f"\nall together at most {max(gauges.pss_mib, default=0):.0f} MiB (proportional)")
    print(f"connections to the database: {_range(gauges.connections)}\n")
    for life, samples in lives(gauges.samples).items():
        if (lasted_s := samples[-1].at_s - samples[0].at_s) >= LONG_S:
            told = ", ".join(f"{unit} {_course(samples, value)}" for unit, value in MEASURES.items())
            print(f"{life}: {lasted_s / 60:.1f} min, {told}")


def _slope(samples: list[Sample], value: Callable[[Sample], float]) -> str:
    slope = slope_per_hour(samples, value)
    return "-" if slope is None else f"{slope:+.1f}"


def _range(counts: list[int]) -> str:
    return f"{min(counts)} to {max(counts)}, at last {counts[-1]}" if counts else "-"


def _course(samples: list[Sample], value: Callable[[Sample], float]) -> str:
    """Eleven moments of a life, and its last."""
    picked = [samples[len(samples) * n // 11] for n in range(11)] if len(samples) > 11 else samples
    return " ".join(f"{value(sample):.0f}" for sample in [*picked, samples[-1]])


def tell_end(settled_s: float, found: Counter[str], broken: list[str], unexplained: list[Trouble]) -> None:
    """How it ended."""
    print(f"\n## The end\n\nsettled after {settled_s:.0f} s; bubbles: {_counted(found)}")
    print(f"promises broken: {len(broken)}; unexplained: {len(unexplained)}", *broken, sep="\n- ", flush=True)
