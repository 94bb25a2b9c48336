"""Documents of a case as Word files: what both sides sign."""

from io import BytesIO

from django.utils import timezone
from django.utils.translation import gettext as _
from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Pt

from xiezhi.domains.complaints.models import Agreement, Case
from xiezhi.foundation.ui import words

FONT = "宋体"


def agreement_document(case: Case, agreement: Agreement) -> bytes:
    """The mediation agreement (调解书, art. 24) of an agreement, three copies of which are signed by both sides and the mediators.

    Names and telephone numbers of the person are left open to be filled in by hand: the document leaves the system.
    """
    document = Document()
    style = document.styles["Normal"]
    style.font.name, style.font.size = FONT, Pt(12)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), FONT)
    title = document.add_heading(level=0)
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    title.add_run(_("消费者权益争议调解书"))
    mediation = agreement.mediation
    lines = [
        (_("编号"), case.number),
        (_("投诉人"), "________________"),
        (_("被投诉人"), case.respondent or "________________"),
        (_("调解时间"), words.moment(mediation.held_at)),
        (_("调解地点"), mediation.place or mediation.get_form_display()),
        (_("调解人员"), mediation.mediators),
    ]
    table = document.add_table(rows=0, cols=2)
    table.style = "Table Grid"
    for name, value in lines:
        cells = table.add_row().cells
        cells[0].text, cells[1].text = name, value
    for heading, text in ((_("争议事项"), agreement.facts), (_("协议内容"), agreement.terms)):
        document.add_heading(heading, level=1)
        for part in text.splitlines():
            document.add_paragraph(part)
    document.add_paragraph(
        _("一方不履行本协议的，另一方可以依法提起诉讼或者申请仲裁（《市场监督管理投诉举报处理办法》第二十五条）。")
    )
    document.add_paragraph(_("本调解书一式三份，双方当事人和调解机关各执一份。"))
    for signer in (_("投诉人（签名或者盖章）："), _("被投诉人（签名或者盖章）："), _("调解人员（签名）：")):
        document.add_paragraph(f"{signer}________________")
    document.add_paragraph(f"{case.unit or ''}    {timezone.localtime(agreement.made_at):%Y-%m-%d}")
    content = BytesIO()
    document.save(content)
    return content.getvalue()
