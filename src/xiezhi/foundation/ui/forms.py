from django.forms.renderers import TemplatesSetting


class Renderer(TemplatesSetting):
    """Fields drawn by our own template: label, help, control, error."""

    field_template_name = "ui/field.html"
