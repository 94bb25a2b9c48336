from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    def create_user(self, username: str, password: str | None = None, **fields: object) -> "User":
        """A person who may sign in; without a password they cannot until one is set."""
        user = self.model(username=self.model.normalize_username(username), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """A person. No flags of power here: what one may do comes from memberships (`access.Membership`)."""

    username = models.CharField(_("登录名"), max_length=150, unique=True, validators=[UnicodeUsernameValidator()])
    display_name = models.CharField(_("姓名"), max_length=60)
    email = models.EmailField(_("邮箱"), blank=True)
    is_active = models.BooleanField(_("启用"), default=True)
    joined_at = models.DateTimeField(_("建立时间"), default=timezone.now)
    phone_digest = models.CharField(max_length=64, null=True, unique=True, editable=False)
    phone_tail = models.CharField(_("手机号末四位"), max_length=4, blank=True)
    phone_verified_at = models.DateTimeField(null=True)
    password_expires_at = models.DateTimeField(null=True)
    """Set while the password is one that somebody else knows: it must be changed, and signs nobody in after this moment."""

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["display_name"]

    class Meta:
        verbose_name = _("账号")

    def __str__(self) -> str:
        return self.display_name or self.username

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        return self.display_name

    @property
    def phone_masked(self) -> str:
        """The telephone number as far as it is kept; empty without one."""
        return f"*******{self.phone_tail}" if self.phone_tail else ""


class AccountAct(models.Model):
    """经办记录: what an administrator, or the product itself, did to somebody's way in, and why. The reason stays out of the audit."""

    class Kind(models.TextChoices):
        LOCKED = "locked", _("试错过多，自动锁定")
        UNLOCKED = "unlocked", _("解除锁定")
        PASSWORD_ISSUED = "password_issued", _("发临时密码")
        FACTOR_RESET = "factor_reset", _("清除二次验证")
        SESSIONS_ENDED = "sessions_ended", _("结束会话")
        SUSPENDED = "suspended", _("停用账号")
        RESTORED = "restored", _("恢复账号")
        PHONE_SET = "phone_set", _("登记手机号")
        PHONE_REMOVED = "phone_removed", _("删去手机号")

    user = models.ForeignKey(User, models.CASCADE, related_name="acts")
    kind = models.CharField(max_length=20, choices=Kind)
    reason = models.CharField(_("理由"), max_length=500, blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("经办记录")
        indexes = [models.Index(fields=["user", "-at"], name="account_acts_by_user")]

    def __str__(self) -> str:
        return str(self.get_kind_display())


class Passing(models.Model):
    """The table behind Django's cache (`settings.CACHES`): failed attempts and used codes, the same for every process. Nobody reads it
    but the cache; it stands here so that migrations make it on either database."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.cache_key
