//go:build integration

package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/poolcast/poolcast/integration/process"
)

// nobody is the user of the image, and used here for systemd's DynamicUser.
const nobody = 65532

// dropin is what the package adds to its unit where the group exists.
const dropin = "/etc/systemd/system/poolcast.service.d/10-cinder-group.conf"

// repository is the top of the sources.
const repository = ".."

// TestPackageInstalls installs the Debian package on this machine, runs its program as
// its unit does, and checks that nothing is left after a purge.
func TestPackageInstalls(t *testing.T) {
	t.Parallel()
	needRoot(t)
	if installed() {
		t.Fatal("poolcast is installed on this machine, and this test would remove it; apt-get purge poolcast")
	}
	made := makePackage(t, t.TempDir(), repository)
	files := strings.Fields(shell(t, "dpkg-deb", "--fsys-tarfile", made, "|", "tar", "-t"))
	checkContents(t, made, files)

	t.Cleanup(func() {
		if installed() {
			apt(t, "purge", "poolcast")
		}
	})
	apt(t, "install", made)
	checkUnit(t)
	if out := shell(t, "/usr/bin/poolcast", "--config-file", "../examples/cinder.conf", "--simulate", "--dry-run"); !strings.Contains(out, "flasharray_x_03") {
		t.Errorf("the dry run printed:\n%s", out)
	}
	runAsService(t, unitCommand(t))

	const settings = "/etc/default/poolcast"
	apt(t, "remove", "poolcast")
	if _, err := os.Stat(settings); err != nil {
		t.Errorf("a removal has removed the settings: %v", err)
	}
	apt(t, "purge", "poolcast")
	for _, f := range files {
		if path := filepath.Join("/", f); strings.Contains(path, "poolcast") {
			if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s is left: %v", path, err)
			}
		}
	}
	if installed() {
		t.Error("dpkg still has the package")
	}
	if _, err := os.Lstat(filepath.Dir(dropin)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left: %v", dropin, err)
	}
}

// TestImageRuns builds the root of the image without a container engine, from the
// lines of the Containerfile, and runs the program in it.
func TestImageRuns(t *testing.T) {
	t.Parallel()
	needRoot(t)
	folder := openFolder(t)
	shell(t, "make", "-C", repository, "--no-print-directory", "build", "BIN="+filepath.Join(folder, "bin"))
	root := filepath.Join(folder, "root")
	for _, line := range finalStage(t) {
		words := strings.Fields(line)
		if words[0] != "COPY" {
			continue
		}
		from := strings.Replace(strings.Replace(words[2], "/src/bin", filepath.Join(folder, "bin"), 1), "/src", repository, 1)
		shell(t, "install", "-D", "-m", mode(from), from, filepath.Join(root, words[3]))
	}
	inside := &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	dry := exec.Command("/usr/bin/poolcast", "--simulate", "--dry-run", "--config-file", "/examples/cinder.conf")
	dry.Dir, dry.Env, dry.SysProcAttr = "/", []string{}, inside
	out, err := dry.Output()
	if err != nil || !strings.Contains(string(out), "flasharray_x_03") {
		t.Errorf("the program did not run in the image: %v\n%s", err, out)
	}
	probe := exec.Command("/usr/bin/poolcast", "probe", "--live", "--config-file", "/examples/cinder.conf")
	probe.Dir, probe.SysProcAttr = "/", inside
	if out, err := probe.CombinedOutput(); err == nil || !strings.Contains(string(out), "is the agent running?") {
		t.Errorf("the health check of an agent that does not run: %v\n%s", err, out)
	}
}

// installed says whether dpkg has the package or its configuration files.
func installed() bool { return exec.Command("dpkg-query", "--status", "poolcast").Run() == nil }

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("installing a package and entering an image need root; run make test as root, or make unit as anybody")
	}
}

// makePackage builds the package of the sources in a folder and returns its path.
func makePackage(t *testing.T, folder, sources string) string {
	t.Helper()
	out := shell(t, "make", "-C", sources, "--no-print-directory", "package",
		"VERSION=v1.2.3", "COMMIT=0123456789abcdef", "SOURCE_DATE_EPOCH=1700000000",
		"BIN="+filepath.Join(folder, "bin"), "DIST="+filepath.Join(folder, "dist"))
	made := strings.TrimSpace(out)
	if !strings.Contains(made, "poolcast_1.2.3_") {
		t.Fatalf("make package printed %q", out)
	}
	return made
}

// checkContents checks the files of a package before it is installed.
func checkContents(t *testing.T, made string, files []string) {
	t.Helper()
	for _, want := range []string{
		"./usr/bin/poolcast", "./usr/lib/systemd/system/poolcast.service", "./usr/share/poolcast/10-cinder-group.conf", "./etc/default/poolcast",
		"./usr/share/man/man1/poolcast.1.gz", "./usr/share/man/man1/poolcast-place.1.gz",
		"./usr/share/bash-completion/completions/poolcast", "./usr/share/doc/poolcast/copyright",
		"./usr/share/doc/poolcast/examples/cinder.conf",
	} {
		if !slices.Contains(files, want) {
			t.Errorf("%s is not in the package", want)
		}
	}
	for line := range strings.Lines(shell(t, "dpkg-deb", "--contents", made)) {
		if f := strings.Fields(line); f[1] != "root/root" || strings.ContainsAny(f[0], "sS") || f[0][8] == 'w' {
			t.Errorf("wrong owner or mode: %s", line)
		}
	}
	unpacked := t.TempDir()
	shell(t, "dpkg-deb", "--extract", made, unpacked)
	shell(t, "cd", unpacked, "&&", "gzip", "--test", "usr/share/man/man1/*.gz")
	notices, err := os.ReadFile(filepath.Join(unpacked, "usr/share/doc/poolcast/copyright"))
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range []string{"The Go standard library", "github.com/rabbitmq/amqp091-go", "github.com/coreos/go-systemd/v22"} {
		if !strings.Contains(string(notices), "==== "+module) {
			t.Errorf("the licence of %s is missing", module)
		}
	}
}

// checkUnit checks the unit with systemd-analyze verify and security.
func checkUnit(t *testing.T) {
	t.Helper()
	const unit = "/usr/lib/systemd/system/poolcast.service"
	if out := shell(t, "systemd-analyze", "verify", "--man=no", unit); out != "" {
		t.Errorf("systemd-analyze verify printed:\n%s", out)
	}
	// Debian's Cinder is installed for these tests, and its group exists.
	if text, err := os.ReadFile(dropin); err != nil || !strings.Contains(string(text), "\nSupplementaryGroups=cinder\n") {
		t.Errorf("the unit has not the group of Cinder: %v\n%s", err, text)
	}
	shell(t, "systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", unit)
}

// unitCommand is ExecStart of the installed unit.
func unitCommand(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("/usr/lib/systemd/system/poolcast.service")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if argv, ok := strings.CutPrefix(line, "ExecStart="); ok {
			return strings.Fields(argv)
		}
	}
	t.Fatal("the unit has no ExecStart")
	return nil
}

// runAsService runs the agent as systemd does: with a user without rights, options of the
// environment, a notification socket, SIGHUP and SIGTERM.
func runAsService(t *testing.T, argv []string) {
	t.Helper()
	folder := openFolder(t)
	listen := fmt.Sprintf("127.0.0.1:%d", process.Ports(t, 1)[0])
	conf := filepath.Join(folder, "cinder.conf")
	text, err := os.ReadFile("../examples/cinder.conf")
	if err != nil {
		t.Fatal(err)
	}
	// No broker listens on port 1, as may be at boot.
	quiet := strings.Replace(string(text), "127.0.0.1:5672", "127.0.0.1:1", 1)
	if err := os.WriteFile(conf, []byte(quiet), 0o644); err != nil {
		t.Fatal(err)
	}
	words := notifySocket(t, filepath.Join(folder, "notify"))
	for i, word := range argv {
		if word == "$POOLCAST_OPTIONS" {
			argv = slices.Replace(argv, i, i+1, "--simulate", "--config-file", conf, "--listen", listen)
			break
		}
	}
	service := process.Start(t, process.Command{
		Name: "poolcast", Dir: "/",
		Args: append([]string{"setpriv", "--reuid=65532", "--regid=65532", "--clear-groups", "--no-new-privs", "--bounding-set=-all"}, argv...),
		Env:  []string{"NOTIFY_SOCKET=" + filepath.Join(folder, "notify")},
	})
	await := func(word string) {
		t.Helper()
		process.Await(t, pollBound, word, func() error {
			for {
				select {
				case got := <-words:
					if strings.HasPrefix(got, word) {
						return nil
					}
				default:
					return errors.New("no such notification was sent")
				}
			}
		})
	}
	await("READY=1")
	shell(t, "/usr/bin/poolcast", "probe", "--live", "--config-file", conf, "--listen", listen)
	ready := exec.Command("/usr/bin/poolcast", "probe", "--ready", "--config-file", conf, "--listen", listen)
	if out, err := ready.CombinedOutput(); err == nil || !strings.Contains(string(out), "[-] bus: ") {
		t.Errorf("ready without a broker: %v\n%s", err, out)
	}
	service.Signal(syscall.SIGHUP)
	await("RELOADING=1")
	await("READY=1")
	service.Stop()
	await("STOPPING=1")
	if code := service.ExitCode(); code != 0 {
		t.Errorf("the service ended with code %d", code)
	}
}

// notifySocket listens as systemd does and returns each notification.
func notifySocket(t *testing.T, path string) <-chan string {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := os.Chmod(path, 0o777); err != nil {
		t.Fatal(err)
	}
	words := make(chan string, 1000)
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := conn.Read(buffer)
			if err != nil {
				return
			}
			words <- string(buffer[:n])
		}
	}()
	return words
}

// openFolder is a temporary folder that other users may enter: a test's own may be
// entered by its user only.
func openFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := errors.Join(os.Chmod(filepath.Dir(folder), 0o755), os.Chmod(folder, 0o755)); err != nil {
		t.Fatal(err)
	}
	return folder
}

// finalStage are the lines of the Containerfile's last stage.
func finalStage(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../examples/container/Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	_, final, found := strings.Cut(string(text), "FROM scratch\n")
	if !found {
		t.Fatal("the image has no stage FROM scratch")
	}
	return strings.Split(strings.TrimSpace(final), "\n")
}

// mode is the permissions that a file keeps when it is copied.
func mode(path string) string {
	if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 {
		return "755"
	}
	return "644"
}

// apt changes the installed packages. It waits for others that do.
func apt(t *testing.T, action string, name string) {
	t.Helper()
	shell(t, "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", "-o", "APT::Sandbox::User=root",
		"--yes", "--no-install-recommends", action, name)
}

// shell runs a line of sh, which must succeed, and returns its output.
func shell(t *testing.T, words ...string) string {
	t.Helper()
	line := strings.Join(words, " ")
	out, err := exec.Command("sh", "-c", "set -e; "+line).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}

// TestVersionMatchesInstalled checks that the oldest Cinder and RabbitMQ of the command
// version are those that these tests run.
func TestVersionMatchesInstalled(t *testing.T) {
	out, err := exec.Command(program(t), "version", "--output", "json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var version struct {
		Tested struct {
			Cinder, RabbitMQ struct{ Oldest, Newest string }
		}
	}
	if err := json.Unmarshal(out, &version); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"cinder-scheduler": version.Tested.Cinder.Oldest,
		"rabbitmq-server":  version.Tested.RabbitMQ.Oldest,
	} {
		installed, err := exec.Command("dpkg-query", "--show", "--showformat=${source:Upstream-Version}", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		if want == "" || !strings.HasPrefix(string(installed), want+".") {
			t.Errorf("%s %s is installed, and the command version has %q", name, installed, want)
		}
	}
}
