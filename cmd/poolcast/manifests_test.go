package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/agent"
	"github.com/poolcast/poolcast/config"
)

// program is where every package and image has the binary.
const program = "/usr/bin/poolcast"

// TestManifestsUseValidCommandLines: a flag that was renamed would otherwise be
// noticed at deployment.
func TestManifestsUseValidCommandLines(t *testing.T) {
	kube, kolla := deployment(t), playbook(t)
	pod := kube.Spec.Template.Spec.Containers[0]
	for where, argv := range map[string][]string{
		"the unit":                     strings.Fields(strings.ReplaceAll(unit(t)["Service.ExecStart"], "$POOLCAST_OPTIONS", "")),
		"the unit's suggested options": append([]string{program}, suggestedOptions(t)...),
		"the image":                    words(t, containerfile(t), "ENTRYPOINT "),
		"the image's health check":     words(t, containerfile(t), "CMD "),
		"the deployment":               append([]string{program}, pod.Args...),
		"its liveness":                 pod.LivenessProbe.Exec.Command,
		"its readiness":                pod.ReadinessProbe.Exec.Command,
		"Kolla-Ansible":                append([]string{program}, kolla.Command...),
		"its health check":             kolla.Healthcheck.Test[1:],
	} {
		if len(argv) == 0 || argv[0] != program {
			t.Errorf("%s runs %q, not %s", where, argv, program)
			continue
		}
		if err := understood(argv[1:]); err != nil {
			t.Errorf("%s: %q: %v", where, argv, err)
		}
	}
}

// TestUnitIsStrict: the agent reads files and talks to the network.
func TestUnitIsStrict(t *testing.T) {
	u := unit(t)
	for key, want := range map[string]string{
		"Type": "notify", "DynamicUser": "yes", "ProtectSystem": "strict",
		"NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "ExecReload": "/bin/kill -HUP $MAINPID",
		"WatchdogSec": "60", "Restart": "always", "MemoryDenyWriteExecute": "yes",
	} {
		if got, there := u["Service."+key]; !there || got != want {
			t.Errorf("%s=%s, want %s", key, got, want)
		}
	}
	if groups, there := u["Service.SupplementaryGroups"]; there {
		t.Errorf("the unit names the groups %q, and is not started where one is missing", groups)
	}
	if dropin := example(t, "systemd/poolcast.service.d/10-cinder-group.conf"); !strings.Contains(dropin, "\n[Service]\nSupplementaryGroups=cinder\n") {
		t.Errorf("the drop-in does not name the group:\n%s", dropin)
	}
	if agent.TickInterval.Seconds() > 60/4 {
		t.Errorf("the main loop notifies the watchdog every %s, too seldom for the unit", agent.TickInterval)
	}
}

// TestLimitsFitTheMeasuredUse: none ends an agent that does what README measures,
// and the garbage collector has each as its limit.
func TestLimitsFitTheMeasuredUse(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^\| 1,000 arrays.*, (\d+ MiB) \|$`).FindSubmatch(text)
	if row == nil {
		t.Fatal("README does not bound the memory of a thousand arrays")
	}
	bound := mebibytes(t, string(row[1]))
	u, kolla := unit(t), playbook(t)
	kube := deployment(t).Spec.Template.Spec.Containers[0]
	kubeGo := ""
	for _, e := range kube.Env {
		if e.Name == "GOMEMLIMIT" {
			kubeGo = e.Value
		}
	}
	goLimit, _ := strings.CutPrefix(u["Service.Environment"], "GOMEMLIMIT=")
	for where, limits := range map[string][2]string{
		"the unit":       {u["Service.MemoryMax"], goLimit},
		"the deployment": {kube.Resources.Limits.Memory, kubeGo},
		"Kolla-Ansible":  {kolla.Memory, kolla.Env["GOMEMLIMIT"]},
	} {
		hard, soft := mebibytes(t, limits[0]), mebibytes(t, limits[1])
		if soft < bound || soft+200 > hard {
			t.Errorf("%s limits the memory to %d MiB, and GOMEMLIMIT is %d MiB; a thousand arrays may take %d MiB, and a message of 128 MiB needs 200 MiB more than GOMEMLIMIT", where, hard, soft, bound)
		}
	}
	if tasks, err := strconv.Atoi(u["Service.TasksMax"]); err != nil || tasks < 256 || kolla.PidsLimit < 256 {
		t.Errorf("TasksMax=%s and pids_limit %d leave too little for token commands", u["Service.TasksMax"], kolla.PidsLimit)
	}
}

// mebibytes reads a size as systemd, Kubernetes, Docker and Go write it.
func mebibytes(t *testing.T, size string) int {
	t.Helper()
	number := strings.TrimRight(size, " MiB")
	n, err := strconv.Atoi(number)
	if err != nil || !strings.Contains(size, "M") {
		t.Fatalf("%q is not a size in MiB", size)
	}
	return n
}

// TestUnitHasAnExistingGroup runs the package's scripts on an empty root.
func TestUnitHasAnExistingGroup(t *testing.T) {
	root, stubs := t.TempDir(), t.TempDir()
	dropin := path.Join(root, "etc/systemd/system/poolcast.service.d/10-cinder-group.conf")
	shipped := example(t, "systemd/poolcast.service.d/10-cinder-group.conf")
	put := func(name, text string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(path.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	put(path.Join(root, "usr/share/poolcast/10-cinder-group.conf"), shipped)
	script := func(name, action, getent string) {
		t.Helper()
		put(path.Join(stubs, "getent"), "#!/bin/sh\n[ \"$*\" = 'group cinder' ] && "+getent+"\n")
		cmd := exec.Command("../../examples/debian/"+name, action)
		cmd.Env = []string{"DPKG_ROOT=" + root, "PATH=" + stubs + ":" + os.Getenv("PATH")}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s %s: %v\n%s", name, action, err, out)
		}
	}
	content := func() string { text, _ := os.ReadFile(dropin); return string(text) }

	script("postinst", "configure", "false")
	if _, err := os.Lstat(path.Dir(dropin)); err == nil {
		t.Error("a group that does not exist is named, and the unit cannot be started")
	}
	script("postinst", "triggered", "true") // Cinder was installed later
	if content() != shipped {
		t.Errorf("the drop-in is %q", content())
	}
	put(dropin, "# an administrator's\n")
	script("postinst", "configure", "true")
	if content() != "# an administrator's\n" {
		t.Errorf("what an administrator wrote became %q", content())
	}
	script("postrm", "remove", "true")
	if _, err := os.Lstat(path.Dir(dropin)); err == nil {
		t.Error("the drop-in is left")
	}
	if !strings.Contains(example(t, "debian/triggers"), "interest-noawait /etc/cinder\n") {
		t.Error("nothing is done when Cinder is installed later")
	}
}

// TestImageHasOneUser: no shell, no package, no root.
func TestImageHasOneUser(t *testing.T) {
	_, final, found := strings.Cut(containerfile(t), "FROM scratch\n")
	if !found || strings.Contains(final, "\nRUN") || !strings.Contains(final, "\nUSER 65532:65532\n") {
		t.Errorf("the image is not the program alone:\n%s", final)
	}
	for line := range strings.Lines(containerfile(t)) {
		if from, ok := strings.CutPrefix(line, "COPY ./"); ok {
			t.Errorf("copies %s without naming it", from)
		}
		if f := strings.Fields(line); len(f) == 3 && f[0] == "COPY" && !strings.Contains(f[1], "=") {
			if _, err := os.Stat(path.Join("../..", f[1])); err != nil {
				t.Errorf("copies what is not there: %v", err)
			}
		}
	}
}

func TestDeploymentIsRestricted(t *testing.T) {
	kube := deployment(t)
	pod := kube.Spec.Template.Spec
	c := pod.Containers[0]
	switch s := c.SecurityContext; {
	case !pod.SecurityContext.RunAsNonRoot, pod.SecurityContext.SeccompProfile.Type != "RuntimeDefault",
		s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation, !s.ReadOnlyRootFilesystem,
		!slices.Equal(s.Capabilities.Drop, []string{"ALL"}), pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken:
		t.Errorf("more is allowed than is needed: %+v", pod)
	}
	for key, value := range kube.Spec.Selector.MatchLabels {
		if kube.Spec.Template.Metadata.Labels[key] != value {
			t.Errorf("label %s=%s selects nothing", key, value)
		}
	}
	if m, v := c.VolumeMounts[0], pod.Volumes[0]; m.Name != v.Name || !m.ReadOnly || v.Secret.DefaultMode != 0o440 ||
		v.Secret.SecretName != secretName(t) || !slices.Contains(c.Args, "--config-file="+m.MountPath+"/cinder.conf") {
		t.Errorf("the configuration does not arrive: %+v, %+v, %q", m, v, c.Args)
	}
	for _, e := range c.Env {
		if section, option, ok := strings.Cut(strings.TrimPrefix(e.Name, "OS_"), "__"); ok && !slices.ContainsFunc(config.Options(), func(o config.Option) bool {
			return strings.EqualFold(o.Section, section) && strings.EqualFold(o.Name, option)
		}) {
			t.Errorf("no option is behind %s", e.Name)
		}
	}
}

func TestKollaContainerIsRestricted(t *testing.T) {
	k := playbook(t)
	if !k.ReadOnly || !slices.Equal(k.CapDrop, []string{"ALL"}) || !strings.HasPrefix(k.User, "65532:") ||
		k.NetworkMode != "host" || !slices.Contains(k.Volumes, "{{ poolcast_config }}:/etc/cinder:ro") {
		t.Errorf("more is allowed than is needed: %+v", k)
	}
}

func example(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(path.Join("../../examples", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// unit maps Section.Key to the last value.
func unit(t *testing.T) map[string]string {
	t.Helper()
	values, section := map[string]string{}, ""
	for line := range strings.Lines(example(t, "systemd/poolcast.service")) {
		line = strings.TrimSpace(line)
		if key, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			values[section+"."+key] = value
		} else if strings.HasPrefix(line, "[") {
			section = strings.Trim(line, "[]")
		}
	}
	return values
}

func suggestedOptions(t *testing.T) []string {
	t.Helper()
	_, rest, _ := strings.Cut(example(t, "debian/default"), `#POOLCAST_OPTIONS="`)
	options, _, found := strings.Cut(rest, `"`)
	if !found {
		t.Fatal("no options are suggested")
	}
	return strings.Fields(options)
}

func containerfile(t *testing.T) string { return example(t, "container/Containerfile") }

// words is the JSON list behind an instruction.
func words(t *testing.T, text, instruction string) (list []string) {
	t.Helper()
	_, rest, _ := strings.Cut(text, instruction+"[")
	line, _, _ := strings.Cut(rest, "\n")
	if err := json.Unmarshal([]byte("["+line), &list); err != nil {
		t.Fatalf("%s: %v", instruction, err)
	}
	return list
}

func parseYAML(t *testing.T, name string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(example(t, name)), into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

type command struct {
	Exec struct{ Command []string }
}

type kubeDeployment struct {
	Spec struct {
		Selector struct {
			MatchLabels map[string]string `yaml:"matchLabels"`
		}
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     kubePod
		}
	}
}

type kubePod struct {
	AutomountServiceAccountToken *bool `yaml:"automountServiceAccountToken"`
	SecurityContext              struct {
		RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
		SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	Containers []kubeContainer
	Volumes    []struct {
		Name   string
		Secret struct {
			SecretName  string `yaml:"secretName"`
			DefaultMode int    `yaml:"defaultMode"`
		}
	}
}

type kubeContainer struct {
	Args            []string
	Env             []struct{ Name, Value string }
	Resources       struct{ Limits struct{ Memory string } }
	LivenessProbe   command `yaml:"livenessProbe"`
	ReadinessProbe  command `yaml:"readinessProbe"`
	SecurityContext struct {
		AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
		Capabilities             struct{ Drop []string }
	} `yaml:"securityContext"`
	VolumeMounts []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
		ReadOnly  bool   `yaml:"readOnly"`
	} `yaml:"volumeMounts"`
}

func deployment(t *testing.T) (d kubeDeployment) {
	t.Helper()
	parseYAML(t, "kubernetes/deployment.yaml", &d)
	return d
}

// secretName is that of the generated secret, which must not change with its
// contents.
func secretName(t *testing.T) string {
	t.Helper()
	var k struct {
		SecretGenerator  []struct{ Name string } `yaml:"secretGenerator"`
		GeneratorOptions struct {
			DisableNameSuffixHash bool `yaml:"disableNameSuffixHash"`
		} `yaml:"generatorOptions"`
	}
	parseYAML(t, "kubernetes/kustomization.yaml", &k)
	if len(k.SecretGenerator) != 1 || !k.GeneratorOptions.DisableNameSuffixHash {
		t.Fatalf("the secret's name is not stable: %+v", k)
	}
	return k.SecretGenerator[0].Name
}

type kollaContainer struct {
	User        string
	NetworkMode string   `yaml:"network_mode"`
	ReadOnly    bool     `yaml:"read_only"`
	CapDrop     []string `yaml:"cap_drop"`
	Command     []string
	Memory      string
	PidsLimit   int `yaml:"pids_limit"`
	Env         map[string]string
	Volumes     []string
	Healthcheck struct{ Test []string }
}

func playbook(t *testing.T) kollaContainer {
	t.Helper()
	var plays []struct {
		Hosts string
		Tasks []struct {
			Container *kollaContainer `yaml:"community.docker.docker_container"`
		}
	}
	parseYAML(t, "kolla-ansible/poolcast.yml", &plays)
	for _, task := range plays[0].Tasks {
		if task.Container != nil && plays[0].Hosts == "cinder-volume" {
			return *task.Container
		}
	}
	t.Fatal("no container runs where cinder-volume does")
	return kollaContainer{}
}
