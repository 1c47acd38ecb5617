"""Verifications and differences as text for a person."""

from __future__ import annotations

from pool_recon.audit.verify import Outcome, Verification
from pool_recon.trace.text import printable

_MARKS = {Outcome.PROVEN: "ok", Outcome.NOT_PROVEN: "FAIL", Outcome.NOT_CHECKED: "-"}
_MOST_PROBLEMS = 50


def verification_text(result: Verification) -> list[str]:
    """The lines that say what is proven of a package, and what is not."""
    of_date = f" of {result.close_date}" if result.close_date else ""
    title = "proven" if result.is_proven else "NOT PROVEN"
    lines = [f"Package{of_date} in {printable(result.package)}: {title}"]
    for check in result.checks:
        count = len(check.problems)
        detail = check.detail or (f"{count:,} problem" + ("s" if count > 1 else ""))
        lines.append(f"  {_MARKS[check.outcome]:<5} {check.name:<10} {printable(detail)}")
    lines += [f"  note  {printable(note)}" for note in result.notes]
    problems = result.problems
    if problems:
        lines += ["", "What is not as it was written:"]
        lines += [
            f"  {printable(problem.subject)}: {printable(problem.message)}"
            for problem in problems[:_MOST_PROBLEMS]
        ]
        if len(problems) > _MOST_PROBLEMS:
            lines.append(f"  and {len(problems) - _MOST_PROBLEMS:,} more: see --json")
    return lines
