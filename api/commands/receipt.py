"""`mingcha receipt verify`: whether a receipt is ours and unchanged; it needs no database and no network."""

import click
import orjson

from api.actions.receipts import read_receipt
from api.commands.score import print_data, read_input


@click.group("receipt")
def receipt_group() -> None:
    """检查记录和照片的回执。 Receipts of visits and photos."""


@receipt_group.command("verify")
@click.argument("receipt_file", metavar="RECEIPT")
@click.option("--key", required=True, help="公钥，见 /api/v1/receipts/key。 The public key that the service shows.")
def verify(receipt_file: str, key: str) -> None:
    """核对回执的签名，输出其内容。 Check a receipt (`-`: standard input) and print what it says."""
    facts = read_receipt(read_input(receipt_file).decode("utf-8", "replace"), key)
    print_data(orjson.dumps(facts, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    click.echo("签名无误 / the signature holds", err=True)
