package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// Every variable that docker-compose.yml sets for hawker is a setting that exists, and what it waits for can say that it
// is well.
func TestCompose(t *testing.T) {
	data, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services map[string]struct {
			Image       string
			Build       string
			Environment map[string]string
			Volumes     []string
			DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
			Healthcheck struct{ Test []string }
		}
		Volumes map[string]any
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	hub, ok := file.Services["hawker"]
	if !ok {
		t.Fatal("no service hawker")
	}
	names := settingNames()
	for name := range hub.Environment {
		if !slices.Contains(names, name) {
			t.Errorf("%s is set and is no setting", name)
		}
	}
	for _, name := range []string{"HAWKER_PUBLIC_URL", "HAWKER_DATABASE_URL", "HAWKER_NATS_URL", "HAWKER_DATA"} {
		if hub.Environment[name] == "" {
			t.Errorf("%s is not set", name)
		}
	}
	for name, d := range hub.DependsOn {
		s, ok := file.Services[name]
		if !ok || d.Condition != "service_healthy" || len(s.Healthcheck.Test) == 0 {
			t.Errorf("hawker waits for %s, which has no health check", name)
		}
	}
	for name, s := range file.Services {
		if (s.Image == "") == (s.Build == "") {
			t.Errorf("%s: an image or a build, one of them", name)
		}
		if len(s.Healthcheck.Test) == 0 {
			t.Errorf("%s has no health check", name)
		}
		for _, v := range s.Volumes {
			from, _, _ := strings.Cut(v, ":")
			if _, ok := file.Volumes[from]; !ok {
				t.Errorf("%s: volume %s is not declared", name, from)
			}
		}
	}
}
