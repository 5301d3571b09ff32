"""
Configuration of the command line: flags before environment before a TOML file, one schema for all three.

Secrets come from a file or the environment, never from a flag (a process list shows it) nor from the TOML
file (it is checked in). The documentation renders :data:`SETTINGS`.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, cast

import attrs

from pushkit.errors import ConfigurationError

CONFIG_VARIABLE: Final = "PUSHKIT_CONFIG"
DEFAULT_FILE: Final = "pushkit.toml"
PREFIX: Final = "PUSHKIT_"


@attrs.frozen(kw_only=True)
class Setting:
    """One thing that can be configured."""

    section: str
    name: str
    kind: type[str | int | float | bool | list[Any]]
    meaning: str
    secret: bool = False
    """From the environment alone."""
    path: bool = False
    """A file's name; in a TOML file it counts from that file's folder."""

    @property
    def variable(self) -> str:
        """The environment variable of the default app."""
        return f"{PREFIX}{self.section}_{self.name}".upper()


def _text(section: str, name: str, meaning: str, **more: bool) -> Setting:
    return Setting(section=section, name=name, kind=str, meaning=meaning, **more)


SETTINGS: Final = (
    _text("apns", "topic", "the app's bundle id, such as com.example.app"),
    _text("apns", "environment", '"production" (default) or "sandbox"'),
    _text("apns", "key_file", "the .p8 file of a token key", path=True),
    _text("apns", "key", "the text of that file", secret=True),
    _text("apns", "key_id", "its key id; may be left out when the file has Apple's name, AuthKey_<key id>.p8"),
    _text("apns", "team_id", "the team id"),
    _text("apns", "certificate_file", "a certificate instead of a key: .p12, or .pem with its key", path=True),
    _text("apns", "certificate_password", "the password of that file", secret=True),
    _text("apns", "origin", "another place, such as a local push service"),
    Setting(section="apns", name="port", kind=int, meaning="443 (default) or 2197"),
    Setting(section="apns", name="rate", kind=float, meaning="pushes a second at the most"),
    Setting(section="apns", name="max_connections", kind=int, meaning="connections at the most"),
    _text("fcm", "service_account_file", "the JSON key file of a service account", path=True),
    _text("fcm", "service_account", "the text of that file", secret=True),
    _text("fcm", "access_token", "a ready access token instead", secret=True),
    Setting(section="fcm", name="metadata_server", kind=bool, meaning="true: the credentials of the Google machine this runs on"),
    _text("fcm", "project_id", "the Firebase project; default: the key file's"),
    _text("fcm", "origin", "another place, such as a local push service"),
    Setting(section="fcm", name="rate", kind=float, meaning="pushes a second at the most"),
    Setting(section="fcm", name="max_connections", kind=int, meaning="connections at the most"),
    _text("webpush", "vapid_file", "the VAPID private key (PEM, or what other libraries store)", path=True),
    _text("webpush", "vapid", "the text of that file", secret=True),
    _text("webpush", "subject", "whom a push service may write to: mailto:... or https://..."),
    Setting(
        section="webpush",
        name="endpoints",
        kind=list,
        meaning='where pushes may go: "known" (default), "any-public", and names of hosts, each with =service where it speaks a known dialect',
    ),
    Setting(section="webpush", name="rate", kind=float, meaning="pushes a second at the most"),
    Setting(section="webpush", name="max_connections", kind=int, meaning="connections at the most"),
    _text("client", "proxy", "URL of a proxy for everything"),
    _text("client", "ca_file", "certificates of a private authority to trust instead of the system's", path=True),
    _text("client", "http2_engine", '"auto" (default), "ngh2" or "h2"'),
    Setting(section="client", name="max_in_flight", kind=int, meaning="requests under way at the most (default 1000)"),
)
"""The whole schema."""

_BY_NAME: Final = {(setting.section, setting.name): setting for setting in SETTINGS}
SECTIONS: Final = ("apns", "fcm", "webpush")

Values = dict[tuple[str, str], Any]


@attrs.frozen(repr=False)
class Settings:
    """What was configured, app by app. Its ``repr`` shows names, never values."""

    apps: Mapping[str, Values]
    """By app (``"default"`` and those under ``[apps]``): (section, name) to value."""
    client: Values
    source: str
    """Where the most of it came from, for messages."""

    def __repr__(self) -> str:
        return f"<Settings {self.source}: {', '.join(sorted(self.apps))}>"

    @property
    def providers(self) -> tuple[str, ...]:
        """Which providers any app has settings for."""
        return tuple(section for section in SECTIONS if any(_section(values, section) for values in self.apps.values()))

    def client_arguments(self) -> dict[str, Any]:
        """
        Keyword arguments for a client.

        Raises:
            ConfigurationError: when a setting is missing or cannot work.
        """
        if not self.providers:
            raise ConfigurationError(
                f"nothing is configured ({self.source}); make a {DEFAULT_FILE} with [apns], [fcm] or [webpush], or set {PREFIX}APNS_... and so on; "
                "docs: command line, configuration"
            )
        makers: dict[str, Callable[[Values], Any]] = {"apns": _apns, "fcm": _fcm, "webpush": _webpush}
        arguments: dict[str, Any] = {}
        for section in self.providers:
            arguments[section] = {app: makers[section](values) for app, values in self.apps.items() if _section(values, section)}
        for name in ("proxy", "http2_engine", "max_in_flight"):
            if ("client", name) in self.client:
                arguments[name] = self.client["client", name]
        if ("client", "ca_file") in self.client:
            arguments["ssl_context"] = _trusting(self.client["client", "ca_file"])
        return arguments


def _section(values: Values, section: str) -> dict[str, Any]:
    return {name: value for (where, name), value in values.items() if where == section}


# -- reading --------------------------------------------------------------------------------------------


def load(path: str | Path | None = None, overrides: Iterable[str] = (), environment: Mapping[str, str] | None = None) -> Settings:
    """
    Read the configuration.

    Args:
        path: a TOML file; None: the one that ``PUSHKIT_CONFIG`` names, or ``pushkit.toml`` here, if there is one.
        overrides: ``section.name=value`` from flags.
        environment: instead of the process's.

    Raises:
        ConfigurationError: for a file that cannot be read, a name that is not in the schema, or a secret where none belongs.
    """
    env = os.environ if environment is None else environment
    chosen = path or env.get(CONFIG_VARIABLE) or (DEFAULT_FILE if Path(DEFAULT_FILE).is_file() else None)
    apps: dict[str, Values] = {}
    client: Values = {}
    if chosen is not None:
        _read_file(Path(chosen), apps, client)
    default = apps.setdefault("default", {})
    for setting in SETTINGS:
        raw = env.get(setting.variable)
        if raw:
            into = client if setting.section == "client" else default
            into[setting.section, setting.name] = _converted(setting, raw, f"the environment variable {setting.variable}")
    _refuse_misspelt(env)
    for override in overrides:
        _override(override, default, client)
    if not default:
        del apps["default"]
    return Settings(apps, client, f'"{chosen}"' if chosen is not None else f"no {DEFAULT_FILE} here, {CONFIG_VARIABLE} not set")


def _refuse_misspelt(env: Mapping[str, str]) -> None:
    """A variable that looks like one of ours and is none was meant to be one; others with our prefix are somebody else's."""
    import difflib

    ours = [setting.variable for setting in SETTINGS]
    begins = tuple(f"{PREFIX}{section}_".upper() for section in (*SECTIONS, "client"))
    for name in env:
        if name.startswith(begins) and name not in ours:
            near = difflib.get_close_matches(name, ours, n=1, cutoff=0.9)
            if near:
                raise ConfigurationError(f"the environment variable {name} is no setting; did you mean {near[0]}?")


def _read_file(path: Path, apps: dict[str, Values], client: Values) -> None:
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f'"{path}": no such file (looked in {path.absolute().parent})') from None
    except OSError as error:
        raise ConfigurationError(f'"{path}": cannot be read ({error.strerror})') from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        where = str(error).rpartition("(at ")[2].rstrip(")") if "(at " in str(error) else "it is no UTF-8 text"
        # The error's own text may quote a line, and a line may hold what should not be there.
        raise ConfigurationError(f'"{path}": is no valid TOML ({where})') from None
    named = data.pop("apps", {})
    if not isinstance(named, dict) or not all(isinstance(app, dict) for app in cast("dict[str, Any]", named).values()):
        raise ConfigurationError(f'"{path}": apps: expected tables such as [apps.shop.apns]')
    every = cast("dict[str, dict[str, Any]]", {"default": data, **named})
    for app, sections in every.items():
        values: Values = {}
        for section, content in sections.items():
            place = f"{section}" if app == "default" else f"apps.{app}.{section}"
            if section not in {*SECTIONS, "client"} or (section == "client" and app != "default"):
                raise ConfigurationError(
                    f'"{path}": [{place}] is not known; expected {", ".join((*SECTIONS, "client"))} or apps.<name>.<provider>'
                )
            if not isinstance(content, dict):
                raise ConfigurationError(f'"{path}": {place}: expected a table, [{place}]')
            for name, value in cast("dict[str, Any]", content).items():
                setting = _known(section, name, f'"{path}"')
                if setting.secret:
                    raise ConfigurationError(
                        f'"{path}": {place}.{name} is a secret and does not belong into this file; '
                        f"use {name}_file, or the environment variable {setting.variable}"
                    )
                checked = _converted(setting, value, f'"{path}": {place}.{name}')
                if setting.path:
                    checked = str(path.absolute().parent / checked)
                (client if section == "client" else values)[section, name] = checked
        if values:
            apps[app] = values


def _known(section: str, name: str, where: str) -> Setting:
    setting = _BY_NAME.get((section, name))
    if setting is None:
        import difflib

        names = [known for place, known in _BY_NAME if place == section]
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; expected one of {', '.join(names)}"
        raise ConfigurationError(f"{where}: there is no setting {section}.{name}{hint}")
    return setting


def _override(text: str, default: Values, client: Values) -> None:
    name, equals, value = text.partition("=")
    section, dot, rest = name.strip().partition(".")
    if not equals or not dot or section not in {*SECTIONS, "client"}:
        raise ConfigurationError("--set: expected section.name=value, such as apns.topic=com.example.app")
    setting = _known(section, rest, "--set")
    if setting.secret:
        raise ConfigurationError(
            f"--set {section}.{rest}: a secret on the command line shows in the process list; set {setting.variable} instead"
        )
    (client if section == "client" else default)[section, rest] = _converted(setting, value, f"--set {section}.{rest}")


def _converted(setting: Setting, value: Any, where: str) -> Any:
    """A value as the schema's type; text from flags and environment is read."""
    kind: Any = setting.kind
    if kind is list:
        return _listed(value, where)
    if isinstance(value, str) and kind is bool and value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    if isinstance(value, str) and kind in {int, float}:
        try:
            return kind(value)
        except ValueError:
            raise _wrong(setting, where) from None
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if value == "" or not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _wrong(setting, where)
    return value


_TRUE: Final = frozenset({"true", "1", "yes"})
_FALSE: Final = frozenset({"false", "0", "no"})


def _listed(value: Any, where: str) -> list[str]:
    items: Any = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) and item for item in cast("list[Any]", items)):
        raise ConfigurationError(f"{where}: expected a list of texts")
    return cast("list[str]", items)


def _wrong(setting: Setting, where: str) -> ConfigurationError:
    return ConfigurationError(f"{where}: expected {_KINDS[setting.kind]}: {setting.meaning}")


_KINDS: Final[Mapping[type[Any], str]] = {
    str: "text, not empty",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
}


# -- making configurations ------------------------------------------------------------------------------


def _need(values: dict[str, Any], section: str, *names: str) -> None:
    missing = [name for name in names if name not in values]
    if missing:
        raise ConfigurationError(
            f"{section}: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing; "
            f"{'; '.join(f'{name}: {_BY_NAME[section, name].meaning}' for name in missing)}"
        )


def _given(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}


def _apns(all_values: Values) -> Any:
    from pushkit import apns

    values = _section(all_values, "apns")
    credentials: Any
    if "certificate_file" in values:
        path, password = values["certificate_file"], values.get("certificate_password")
        read = apns.Certificate.from_p12_file if path.lower().endswith((".p12", ".pfx")) else apns.Certificate.from_pem_file
        credentials = read(path, password=password)
    elif "key" in values:
        _need(values, "apns", "key_id", "team_id")
        credentials = apns.TokenKey(values["key"], key_id=values["key_id"], team_id=values["team_id"])
    else:
        _need(values, "apns", "key_file", "team_id")
        credentials = apns.TokenKey.from_file(values["key_file"], team_id=values["team_id"], key_id=values.get("key_id"))
    try:
        environment = apns.Environment(values.get("environment", "production"))
    except ValueError:
        raise ConfigurationError('apns.environment: expected "production" or "sandbox"') from None
    return apns.Config(
        credentials=credentials, environment=environment, **_given(values, "topic", "origin", "port", "rate", "max_connections")
    )


def _fcm(all_values: Values) -> Any:
    from pushkit import fcm

    values = _section(all_values, "fcm")
    credentials: Any
    if "access_token" in values:
        credentials = fcm.StaticToken(values["access_token"])
    elif values.get("metadata_server"):
        credentials = fcm.MetadataServer()
    elif "service_account" in values:
        credentials = fcm.ServiceAccount.from_json(values["service_account"])
    else:
        _need(values, "fcm", "service_account_file")
        credentials = fcm.ServiceAccount.from_file(values["service_account_file"])
    return fcm.Config(credentials=credentials, **_given(values, "project_id", "origin", "rate", "max_connections"))


def _webpush(all_values: Values) -> Any:
    from pushkit import webpush

    values = _section(all_values, "webpush")
    if "vapid" in values:
        key = webpush.VapidKey.parse(values["vapid"])
    else:
        _need(values, "webpush", "vapid_file")
        key = webpush.VapidKey.from_file(values["vapid_file"])
    _need(values, "webpush", "subject")
    policy = None
    for entry in values.get("endpoints", ["known"]):
        rule = _endpoint_rule(entry)
        policy = rule if policy is None else policy | rule
    return webpush.Config(vapid=key, subject=values["subject"], endpoints=policy, **_given(values, "rate", "max_connections"))  # type: ignore[arg-type]  # the list is not empty


def _endpoint_rule(entry: str) -> Any:
    from pushkit.webpush import EndpointPolicy

    if entry == "known":
        return EndpointPolicy.known()
    if entry == "any-public":
        return EndpointPolicy.any_public()
    host, _, service = entry.partition("=")
    return EndpointPolicy.allow(host, service=service or None)


def _trusting(path: str) -> Any:
    import ssl

    try:
        return ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f'client.ca_file: "{path}" holds no certificates ({type(error).__name__})') from None
