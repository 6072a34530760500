package cloud

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/poolcast/poolcast/integration/process"
)

// databaseProgram is MariaDB's server in the Debian package mariadb-server-core. SQLite
// is no alternative: services that write at the same time get "database is locked".
const databaseProgram = "/usr/sbin/mariadbd"

// maxSocketPath is the longest path that the kernel accepts for a Unix socket.
const maxSocketPath = 107

// startDatabase runs a MariaDB without accounts on a socket in the folder of the cloud,
// which only its user may enter, and makes the tables of Cinder.
func (c *Cloud) startDatabase(t process.T) {
	t.Helper()
	if _, err := os.Stat(databaseProgram); err != nil {
		t.Fatalf("MariaDB is not installed (%v): run integration/setup, or apt-get install --no-install-recommends mariadb-server-core", err)
	}
	if socket := c.databaseSocket(); len(socket) > maxSocketPath {
		t.Fatalf("the path %s is too long for a socket: set TMPDIR to a folder with a shorter one", socket)
	}
	for _, folder := range []string{"database", "database/data"} {
		if err := os.Mkdir(c.path(folder), 0o700); err != nil {
			t.Fatalf("make the folder of the database: %v", err)
		}
	}
	c.write("database/init.sql", "CREATE DATABASE IF NOT EXISTS cinder CHARACTER SET utf8mb3;\n")
	p := process.Start(t, process.Command{Name: "mariadb", Dir: c.path("database"), Log: filepath.Join(c.LogFolder(), "mariadb.log"), Args: []string{
		databaseProgram, "--no-defaults", "--user=root",
		"--datadir=" + c.path("database/data"), "--socket=" + c.databaseSocket(), "--skip-networking",
		"--skip-grant-tables", "--skip-log-bin", "--init-file=" + c.path("database/init.sql"),
		"--innodb-flush-log-at-trx-commit=0", // nothing is kept
		"--innodb-buffer-pool-size=64M", "--max-connections=500",
		"--connect-timeout=120", // of 10 s, within which a service on a busy machine may not log in
	}})
	process.Await(t, StartBound, "MariaDB to accept connections", func() error {
		if !p.Running() {
			t.Fatalf("start the database: %s", p.Exit())
		}
		connection, err := net.DialTimeout("unix", c.databaseSocket(), time.Second)
		if err != nil {
			return err
		}
		return connection.Close()
	})
	c.updateDatabase(t)
}

func (c *Cloud) databaseSocket() string { return c.path("database/socket") }

// updateDatabase makes or updates the tables of Cinder.
func (c *Cloud) updateDatabase(t process.T) {
	t.Helper()
	c.write("database.conf", c.databaseSettings())
	runTool(t, "cinder-manage", c.python, filepath.Join(filepath.Dir(c.python), "cinder-manage"), "--config-file", c.path("database.conf"), "db", "sync")
}

// databaseURL is the option connection.
func (c *Cloud) databaseURL() string {
	return fmt.Sprintf("mysql+pymysql://root@localhost/cinder?unix_socket=%s", c.databaseSocket())
}

// StoredVolume is a row of the table of volumes.
type StoredVolume struct {
	ID    string `json:"id"`
	Name  string `json:"display_name"`
	Size  int64  `json:"size"`           // GiB
	Type  string `json:"volume_type_id"` // id
	Host  string `json:"host"`           // host@stanza#pool
	Array string `json:"provider_id"`    // its name on the array
}

// replaceVolumes is a program that replaces the volumes of the database.
const replaceVolumes = `import json, pymysql, sys
connection = pymysql.connect(user="root", unix_socket=sys.argv[1], database="cinder", autocommit=True)
cursor = connection.cursor()
cursor.execute("UPDATE volumes SET deleted = 1, status = 'deleted', deleted_at = utc_timestamp() WHERE deleted = 0")
for volume in json.loads(sys.argv[2]) or []:
    volume.update(deleted=0, use_quota=1, status="available", attach_status="detached",
                  user_id="admin", project_id=sys.argv[3], availability_zone=sys.argv[4])
    cursor.execute("INSERT INTO volumes (created_at, %s) VALUES (utc_timestamp(), %s)" % (
        ", ".join(volume), ", ".join(["%s"] * len(volume))), list(volume.values()))
`

// ReplaceVolumes marks all volumes of the database as deleted and adds others. It sends
// nothing to the arrays. cinder-volume computes allocated_capacity_gb of the database when
// it starts: stop it before.
func (c *Cloud) ReplaceVolumes(volumes []StoredVolume) {
	c.t.Helper()
	text, err := json.Marshal(volumes)
	if err != nil {
		c.t.Fatalf("encode volumes: %v", err)
	}
	runTool(c.t, "python", c.python, "-c", replaceVolumes, c.databaseSocket(), string(text), c.API.project, zone)
}
