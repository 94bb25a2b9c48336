"""Tables of the complaint desk: cases and their people, clocks, and what was done."""

from xiezhi.domains.complaints.models.cases import (
    Case,
    CaseEvent,
    CaseQuerySet,
    Category,
    CoHandler,
    ExternalNumber,
    NumberSeries,
    TierChange,
    led_by,
)
from xiezhi.domains.complaints.models.clocks import Appraisal, Clock, ClockRevision
from xiezhi.domains.complaints.models.figures import Kept, Publication, Stage, Tally, TallyMark
from xiezhi.domains.complaints.models.handling import (
    Agreement,
    Application,
    Attachment,
    Callback,
    Clue,
    Handoff,
    MallRequest,
    Mediation,
    Reply,
    ReplyTemplate,
    ReturnRequest,
    Supervision,
)
from xiezhi.domains.complaints.models.parties import ComplaintParty, PartyOpening
from xiezhi.domains.complaints.models.public import Arrival, ClientKey, Draft, Mail
from xiezhi.domains.complaints.models.topics import Topic, TopicHandoff
from xiezhi.domains.complaints.models.understanding import CaseKey, ModelUse, Suggestion, TextModel

__all__ = [
    "Agreement",
    "Application",
    "Appraisal",
    "Arrival",
    "Attachment",
    "Callback",
    "Case",
    "CaseEvent",
    "CaseKey",
    "CaseQuerySet",
    "Category",
    "ClientKey",
    "Clock",
    "ClockRevision",
    "Clue",
    "CoHandler",
    "ComplaintParty",
    "Draft",
    "ExternalNumber",
    "Handoff",
    "Kept",
    "Mail",
    "MallRequest",
    "Mediation",
    "ModelUse",
    "NumberSeries",
    "PartyOpening",
    "Publication",
    "Reply",
    "ReplyTemplate",
    "ReturnRequest",
    "Stage",
    "Suggestion",
    "Supervision",
    "Tally",
    "TallyMark",
    "TextModel",
    "TierChange",
    "Topic",
    "TopicHandoff",
    "led_by",
]
