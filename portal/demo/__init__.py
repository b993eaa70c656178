"""An invented world to try the portal in: companies, people and a year of deals, all made by the real verbs."""
