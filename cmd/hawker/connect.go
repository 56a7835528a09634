package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"hawker/connectors/twitch"
	"hawker/connectors/twitch/auth"
)

// connectCmd gets a login by a code, for `hawker chat` and for set-ups that take tokens from the environment.
type connectCmd struct {
	Platform string   `arg:"" enum:"twitch" help:"twitch."`
	File     string   `arg:"" type:"path" help:"Where to write the login, as lines of NAME=value that --config reads. Nobody else may read the file; it must not be there yet."`
	As       string   `enum:"bot,channel" default:"bot" help:"What for: bot hears and speaks, channel is its owner."`
	Scopes   []string `name:"scope" placeholder:"SCOPE" help:"Ask for this permission too, by Twitch's name."`
	Config   string   `env:"HAWKER_CONFIG" placeholder:"FILE" help:"A file of NAME=value lines with these settings; flags and the environment go before it."`

	Twitch twitchSettings `embed:"" prefix:"twitch-"`
}

// Run shows a code and waits until its owner typed it.
func (c *connectCmd) Run(ctx context.Context, o out) error {
	if c.Twitch.ClientID == "" {
		return errors.New("set HAWKER_TWITCH_CLIENT_ID to your app at dev.twitch.tv/console; a public one needs no secret")
	}
	// Before anybody types a code it is made sure that the file can be written.
	f, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the login: %w", err)
	}
	err = c.login(ctx, o, f)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(c.File))
	}
	return nil
}

func (c *connectCmd) login(ctx context.Context, o out, f io.Writer) error {
	scopes := twitch.Grants(c.As == "channel", false, nil)
	for _, s := range c.Scopes {
		if !slices.Contains(scopes, s) {
			scopes = append(scopes, s)
		}
	}
	s := &auth.Server{URL: c.Twitch.AuthURL, ID: c.Twitch.ClientID, Secret: c.Twitch.ClientSecret}
	d, err := s.Begin(ctx, scopes)
	if err != nil {
		return err
	}
	who := "the account that hears and speaks"
	if c.As == "channel" {
		who = "the owner of the channel"
	}
	if _, err := fmt.Fprintf(o.Out, "Open %s\nas %s, and type the code %s\nIt is good for %s. Waiting ...\n", d.Address, who, d.UserCode, time.Until(d.Ends).Round(time.Minute)); err != nil {
		return err
	}
	a, err := s.Wait(ctx, d, scopes)
	switch {
	case errors.Is(err, auth.ErrOver):
		return errors.New("the code was refused or is too old; try again")
	case err != nil:
		return err
	}
	_, err = fmt.Fprintf(f, "# Twitch login of %s, %s: %s\nHAWKER_TWITCH_USER_TOKEN=%s\nHAWKER_TWITCH_REFRESH_TOKEN=%s\nHAWKER_TWITCH_BOT_LOGIN=%s\nHAWKER_TWITCH_BOT_ID=%s\n",
		a.Name, time.Now().UTC().Format(time.DateOnly), strings.Join(a.Token.Scopes, " "), a.Token.Access, a.Token.Refresh, a.Name, a.ID)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.Out, "Connected as %s. The login is in %s\n", a.Name, c.File)
	return err
}
