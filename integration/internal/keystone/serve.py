"""A Keystone with a database and keys of its own, filled and served by one process:
loading Keystone takes a second, and keystone-manage would load it three times more.

Arguments: keystone.conf, the SQLite database in it, the port. The password of admin is
in the environment.
"""
import os
import sqlite3
import sys
from wsgiref import simple_server

from keystone.cmd import bootstrap
from keystone.common import fernet_utils
from keystone.common.sql import upgrades
from keystone.server.flask import core
import keystone.conf

CONF = keystone.conf.CONF


class Handler(simple_server.WSGIRequestHandler):
    def address_string(self):
        return self.client_address[0]


def make(database):
    """A database in which a reader does not block a commit: Keystone reads in one
    transaction while it writes in another. The mode is kept in the file.
    """
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


def prepare():
    """What keystone-manage does with db_sync and fernet_setup."""
    upgrades.offline_sync_database_to_version(None)
    tokens = CONF.fernet_tokens
    keys = fernet_utils.FernetUtils(tokens.key_repository, tokens.max_active_keys, "fernet_tokens")
    keys.create_key_directory()
    keys.initialize_key_repository()


def fill(url):
    """What keystone-manage bootstrap does."""
    bootstrap.backends.load_backends = lambda: None  # the application has loaded them
    cloud = bootstrap.Bootstrapper()
    cloud.admin_password = os.environ.pop("ADMIN_PASSWORD")
    cloud.admin_username = cloud.project_name = cloud.admin_role_name = "admin"
    cloud.service_name = "keystone"
    cloud.region_id = "RegionOne"
    cloud.public_url = cloud.internal_url = url
    cloud.bootstrap()


def main():
    config, database, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    del sys.argv[1:]
    make(database)
    application = core.initialize_application(
        "public", config_files=[config], post_log_configured_function=prepare)
    fill("http://127.0.0.1:%d/v3" % port)
    server = simple_server.make_server("127.0.0.1", port, application, handler_class=Handler)
    server.serve_forever()


main()
