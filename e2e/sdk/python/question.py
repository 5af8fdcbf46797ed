"""What the clients are asked about, and what is kept of their answers."""

import itertools

import pydantic


class Weather(pydantic.BaseModel):
    """The answer that a schema is asked for, for clients that make the schema."""

    city: str
    degrees: int


def given(**arguments):
    """The arguments that are there."""
    return {name: value for name, value in arguments.items() if value is not None}


class Turns:
    """Turns of models in the client's own types, for the questions that follow."""

    def __init__(self):
        self._kept = {}
        self._numbers = itertools.count()

    def keep(self, turn):
        """Returns the number to take the turn by."""
        number = next(self._numbers)
        self._kept[number] = turn
        return number

    def take(self, number):
        """Returns a turn, once."""
        return self._kept.pop(number)
