package main

import (
	"reflect"
	"slices"
	"strings"
)

// unknownSettings are variables of the environment that look like settings and are none.
func unknownSettings(environ []string) []string {
	var out []string
	known := append(settingNames(), "HAWKER_CONFIG")
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "HAWKER_") && value != "" && !slices.Contains(known, name) {
			out = append(out, name)
		}
	}
	return out
}

// settingNames are the environment names of all settings.
func settingNames() []string {
	var out []string
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		for i := range t.NumField() {
			f := t.Field(i)
			if env := f.Tag.Get("env"); env != "" {
				out = append(out, env)
			}
			if f.Type.Kind() == reflect.Struct {
				walk(f.Type)
			}
		}
	}
	walk(reflect.TypeFor[settings]())
	walk(reflect.TypeFor[chatLogin]())
	return out
}
