"""What an NWB file must say about a session besides its spikes; it is asked for, never invented."""

from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from snncompare.errors import InputError
from snncompare.units import Quantity, seconds
from snncompare.values import Value

__all__ = ["SessionMetadata", "Subject", "metadata_of"]

Text = Annotated[str, Field(min_length=1)]


class Subject(Value):
    """The animal.

    Parameters
    ----------
    subject_id : str
    species : str
        Latin binomial, such as ``"Mus musculus"``.
    sex : {"M", "F", "O", "U"}
        Male, female, other, unknown.
    age : str
        ISO 8601 duration, such as ``"P90D"``.
    description : str, optional
    """

    subject_id: Annotated[str, Field(min_length=1, pattern=r"^[^/]+$")]
    species: Annotated[str, Field(pattern=r"^[A-Z][a-z]+ [a-z]+$")]
    sex: Literal["M", "F", "O", "U"]
    age: Annotated[str, Field(pattern=r"^P(\d+(\.\d+)?[YMWD])+(T\S+)?(/(P\S+)?)?$")]
    description: Text | None = None


class SessionMetadata(Value):
    """What an NWB file says about a session.

    Parameters
    ----------
    session_description, identifier : str
        What was done; a name that no other file has.
    session_start_time : datetime with time zone
        Or ISO 8601 text such as ``"2001-02-14T10:00:00-08:00"``; the zero of all times in the file.
    time_resolution : time
        Smallest difference between spike times, such as one sample: ``"0.0667 ms"``.
    subject : Subject
    experimenter : list of str, optional
        ``"Family name, given name"``.
    institution, lab, experiment_description, session_id : str, optional
    keywords, related_publications : lists of str, optional
    """

    session_description: Text
    identifier: Text
    session_start_time: AwareDatetime
    time_resolution: Quantity
    subject: Subject
    experimenter: tuple[Text, ...] | None = None
    institution: Text | None = None
    lab: Text | None = None
    experiment_description: Text | None = None
    session_id: Annotated[str, Field(min_length=1, pattern=r"^[^/]+$")] | None = None
    keywords: tuple[Text, ...] | None = None
    related_publications: tuple[Text, ...] | None = None

    @model_validator(mode="after")
    def _resolution_is_a_time(self) -> Self:
        if seconds(self.time_resolution, "time_resolution") <= 0:
            raise InputError(f"time_resolution must be longer than zero, got '{self.time_resolution}'.")
        return self


def metadata_of(given: Any) -> SessionMetadata:
    """Return the metadata of a session, from a mapping or as they are.

    Raises
    ------
    InputError
        If they are missing; one line that names what is.
    """
    if isinstance(given, SessionMetadata):
        return given
    needed = [name for name, field in SessionMetadata.model_fields.items() if field.is_required()]
    missing = [name for name in needed if name not in (given or {})]
    if missing:
        raise InputError(
            f"an NWB file says more about a session than spikes do: metadata lacks {', '.join(missing)}. Give metadata="
            "{'identifier': ..., 'session_description': ..., 'session_start_time': '2001-02-14T10:00:00-08:00', "
            "'time_resolution': '0.1 ms', 'subject': {'subject_id': ..., 'species': 'Mus musculus', 'sex': 'U', 'age': "
            "'P90D'}}."
        )
    return SessionMetadata.parse(given, "metadata")
