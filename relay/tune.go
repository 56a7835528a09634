package relay

// Tune puts the settings of a configuration into force while its stream is live: slate, AskHost, UplinkKbps, Grace and whatever else
// is no destination. A slate that is shown stays until the next one. The error is ErrNoStream.
func (s *Server) Tune(streamID string, c Config) error {
	st, err := s.stream(streamID)
	if err != nil {
		return err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	c.ID, c.Backup, c.Destinations = st.cfg.ID, st.cfg.Backup, st.cfg.Destinations
	st.cfg = c
	return nil
}

// Explain turns the error of a push into a reason and a sentence for people. Neither holds a key or an address.
func Explain(err error) (Reason, string) { return explain(err) }
