"""The command line of the library: `biometrics ...`.

Owns the list of commands. Refuses to know what any of them does: each area has its own module in
`biometrics.commands`, and a new command adds one line here.
"""

import typer

from biometrics.commands.calibrate import calibrate_command
from biometrics.commands.chip import chip_command
from biometrics.commands.evaluate import evaluate_command
from biometrics.commands.models import models_app
from biometrics.commands.verify import verify

app = typer.Typer(name="biometrics", no_args_is_help=True, add_completion=False)


@app.callback()
def biometrics() -> None:
    """Compare faces and check identity documents."""


app.command()(verify)
app.command("calibrate")(calibrate_command)
app.command("chip")(chip_command)
app.command("evaluate")(evaluate_command)
app.add_typer(models_app, name="models")
