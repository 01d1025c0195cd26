"""`mingcha keys`: a sealed survey's key, made, checked and rehearsed on a laptop without database or network."""

import secrets
from pathlib import Path

import click

from survey_forms.ballot import keys as campaign
from survey_forms.ballot import rehearsal
from survey_forms.ballot.keys import Share
from survey_forms.ballot.seal import KEY_LENGTH
from survey_forms.ballot.split import SHARES
from survey_forms.refusal import Refused

PUBLIC = "public.json"
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

share_option = click.option(
    "--share",
    "shares",
    type=FILE,
    multiple=True,
    required=True,
    help="一位保管人的份额文件，给两次。 A custodian's share; give it twice.",
)


@click.group("keys")
def keys_group() -> None:
    """密封评议的密钥（离线使用）。 The key of a sealed survey, offline."""


@keys_group.command("new")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="存放目录。 A directory.")
@click.option(
    "--custodians",
    default="A,B,C",
    show_default=True,
    help="三位保管人，用逗号隔开。 Three custodians, with commas between.",
)
def new(out: Path, custodians: str) -> None:
    """生成密钥：public.json 和三张份额单，私钥不落盘。 Make a key: public.json and three sheets to print.

    The private key is written nowhere. Print each sheet, give it to its custodian, and destroy the file.
    """
    names = campaign.check_custodians(custodians.replace("，", ",").split(","))
    targets = [out / PUBLIC, *(out / f"share-{at}.txt" for at in range(1, SHARES + 1))]
    if taken := [path for path in targets if path.exists()]:
        raise Refused("file_exists", str(taken[0]))
    key, shares = campaign.new_key(secrets.token_bytes(KEY_LENGTH), names)
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(targets[0], campaign.write_public(key))
    for path, share in zip(targets[1:], shares, strict=True):
        write_private(path, campaign.write_share(share).encode())
        click.echo(f"{path}  {share.custodian}")
    click.echo(f"{targets[0]}  {key.public_key.hex()}")
    click.echo(
        "打印三张份额单，分别交给保管人后删除文件；public.json 交考评办公室上传。"
        " / Print and hand out the sheets, then delete the files; the office uploads public.json.",
        err=True,
    )


@keys_group.command("check")
@share_option
@click.option("--public", "public", type=FILE, required=True, help="public.json")
def check(shares: tuple[Path, ...], public: Path) -> None:
    """核对两份份额能否打开这把公钥。 Check that two shares open what a public key seals."""
    key = campaign.read_public(public.read_bytes())
    campaign.join_shares(read_shares(shares), key.public_key)
    click.echo(f"两份份额有效 / the two shares are good  {key.public_key.hex()}")


@keys_group.command("rehearse")
@click.argument("tests", metavar="TESTS.json", type=FILE)
@share_option
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("proof.json"), show_default=True)
def rehearse(tests: Path, shares: tuple[Path, ...], out: Path) -> None:
    """打开试投票，写出证明文件交考评办公室上传。 Open the test ballots and write the proof for the office to upload."""
    if out.exists():
        raise Refused("file_exists", str(out))
    sealed = rehearsal.read_tests(tests.read_bytes())
    private_key = campaign.join_shares(read_shares(shares), campaign.key_bytes(sealed.public_key))
    out.write_bytes(rehearsal.write_proof(sealed.survey_id, rehearsal.open_tests(private_key, sealed)))
    click.echo(f"{out}  {len(sealed.boxes)} 张试投票已打开 / test ballots opened")


def read_shares(paths: tuple[Path, ...]) -> list[Share]:
    """The shares in these files; `shares_do_not_fit` for what is no text."""
    try:
        return [campaign.read_share(path.read_text(encoding="utf-8-sig")) for path in paths]
    except UnicodeDecodeError as error:
        raise Refused("shares_do_not_fit", reason="not text") from error


def write_private(path: Path, content: bytes) -> None:
    """A new file that only its owner can read."""
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(content)
