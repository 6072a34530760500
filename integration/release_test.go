//go:build integration

package integration

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// releaseFiles are the files of a release of v1.2.3.
var releaseFiles = []string{
	"LICENSES.txt", "MANIFEST.txt", "SHA256SUMS",
	"poolcast-v1.2.3-linux-amd64", "poolcast-v1.2.3-linux-arm64",
	"poolcast_1.2.3_amd64.deb", "poolcast_1.2.3_arm64.deb",
}

// TestRelease builds a release from copies of the sources in two places, compares every
// byte, and checks what README.md and MANIFEST.txt say of it. make reproducible builds
// without the compiler's cache, too.
func TestRelease(t *testing.T) {
	t.Parallel()
	one, another := makeRelease(t, "one"), makeRelease(t, "another/deeper")
	if a, b := readFile(t, one, "SHA256SUMS"), readFile(t, another, "SHA256SUMS"); a != b {
		t.Errorf("the same sources gave two different releases:\n%s\n%s", a, b)
	}
	if got := strings.Fields(shell(t, "cd", one, "&&", "LC_ALL=C ls")); strings.Join(got, " ") != strings.Join(releaseFiles, " ") {
		t.Errorf("the release consists of %q", got)
	}
	checkDownload(t, one)
	for architecture, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		checkBinary(t, filepath.Join(one, "poolcast-v1.2.3-linux-"+architecture), machine)
		checkManifest(t, readFile(t, one, "MANIFEST.txt"), filepath.Join(one, "poolcast-v1.2.3-linux-"+architecture))
		checkReleasePackage(t, one, architecture)
	}
}

// makeRelease builds a release from a copy of the sources, and returns its folder.
func makeRelease(t *testing.T, place string) string {
	t.Helper()
	sources := filepath.Join(t.TempDir(), place)
	if err := os.MkdirAll(sources, 0o755); err != nil {
		t.Fatal(err)
	}
	shell(t, "cd", repository, "&&", "tar", "--exclude=./.git", "--exclude=./.venv*", "--exclude=./bin", "--exclude=./dist", "-cf", "-", ".",
		"|", "tar", "-xf", "-", "-C", sources)
	out := shell(t, "make", "-C", sources, "--no-print-directory", "release",
		"VERSION=v1.2.3", "COMMIT=0123456789abcdef", "SOURCE_DATE_EPOCH=1700000000")
	folder := filepath.Join(sources, "dist", "release")
	for _, name := range releaseFiles {
		if !strings.Contains(out, filepath.Join(folder, name)+"\n") {
			t.Errorf("make release does not print %s:\n%s", name, out)
		}
	}
	return folder
}

// checkDownload does what README.md says of a download: it verifies and runs one binary,
// without the other files. A changed one is refused.
func checkDownload(t *testing.T, release string) {
	t.Helper()
	folder, name := t.TempDir(), "poolcast-v1.2.3-linux-"+runtime.GOARCH
	shell(t, "cp", filepath.Join(release, name), filepath.Join(release, "SHA256SUMS"), folder)
	const verify = "sha256sum --check --ignore-missing SHA256SUMS"
	shell(t, "cd", folder, "&&", verify)
	shell(t, "cd", folder, "&&", "install -m 755", name, "installed")
	if out := shell(t, filepath.Join(folder, "installed"), "version"); !strings.Contains(out, "v1.2.3") {
		t.Errorf("the binary of the release says of its version:\n%s", out)
	}
	shell(t, "cd", folder, "&&", "echo >>", name)
	if out, err := exec.Command("sh", "-c", "cd "+folder+" && "+verify).CombinedOutput(); err == nil {
		t.Errorf("a changed binary is verified:\n%s", out)
	}
}

// checkBinary checks that a binary is for the machine, and static.
func checkBinary(t *testing.T, path string, machine elf.Machine) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if f.Machine != machine || f.OSABI != elf.ELFOSABI_NONE {
		t.Errorf("%s is for %v, %v", path, f.Machine, f.OSABI)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("%s is not static: it has %v", path, p.Type)
		}
	}
}

// checkManifest compares the list of modules with those in the binary.
func checkManifest(t *testing.T, manifest, binary string) {
	t.Helper()
	for _, want := range []string{"poolcast v1.2.3\n", "commit   0123456789abcdef\n", "date     2023-11-14 22:13:20 UTC\n", "standard library", "/usr/bin/poolcast\n"} {
		if !strings.Contains(manifest, want) {
			t.Errorf("MANIFEST.txt has no %q", want)
		}
	}
	listed := map[string][]string{}
	for line := range strings.Lines(manifest) {
		if f := strings.Fields(line); len(f) > 3 {
			listed[f[0]] = f
		}
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	if len(info.Deps) < 10 {
		t.Fatalf("%s has %d modules", binary, len(info.Deps))
	}
	for _, d := range info.Deps {
		f := listed[d.Path]
		if len(f) < 4 || f[1] != d.Version || f[len(f)-1] != d.Sum || !strings.ContainsAny(f[2], "ABM") {
			t.Errorf("%s %s %s is listed as %q", d.Path, d.Version, d.Sum, f)
		}
	}
}

// checkReleasePackage unpacks a package: it has the binary of the release, and the pages
// that this machine made.
func checkReleasePackage(t *testing.T, release, architecture string) {
	t.Helper()
	made := filepath.Join(release, "poolcast_1.2.3_"+architecture+".deb")
	if got := shell(t, "dpkg-deb --field", made, "Architecture Version"); got != "Architecture: "+architecture+"\nVersion: 1.2.3\n" {
		t.Errorf("%s has the fields %q", made, got)
	}
	checkContents(t, made, strings.Fields(shell(t, "dpkg-deb", "--fsys-tarfile", made, "|", "tar", "-t")))
	root := t.TempDir()
	shell(t, "dpkg-deb", "--extract", made, root)
	if !bytes.Equal([]byte(readFile(t, root, "usr/bin/poolcast")), []byte(readFile(t, release, "poolcast-v1.2.3-linux-"+architecture))) {
		t.Errorf("%s has another binary than the release", made)
	}
	if !strings.Contains(readFile(t, release, "LICENSES.txt"), readFile(t, root, "usr/share/doc/poolcast/copyright")) {
		t.Error("LICENSES.txt lacks licences of the package")
	}
	if architecture == runtime.GOARCH {
		if out := shell(t, filepath.Join(root, "usr/bin/poolcast"), "--config-file", filepath.Join(root, "usr/share/doc/poolcast/examples/cinder.conf"), "--simulate --dry-run"); !strings.Contains(out, "flasharray_x_03") {
			t.Errorf("the dry run of the package printed:\n%s", out)
		}
	}
}

func readFile(t *testing.T, folder, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestReleaseThatFails checks that the folder of the last release is kept, and that a
// warning names changes that are not committed.
func TestReleaseThatFails(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	kept := filepath.Join(folder, "MANIFEST.txt")
	if err := os.WriteFile(kept, []byte("poolcast v1.2.2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(repository, "examples/debian/release"), folder)
	cmd.Env = append(os.Environ(), "GO=false", "VERSION=v1.2.3-dirty")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "files differ from the commit") {
		t.Errorf("a release without a compiler: %v\n%s", err, out)
	}
	if text := readFile(t, folder, "MANIFEST.txt"); text != "poolcast v1.2.2\n" {
		t.Errorf("the last release has become %q", text)
	}
}
