package simulator

// Names are invented by pairing; any likeness to a person is chance.
var (
	givenNames = []string{
		"Ines", "Pavel", "Amara", "Jonas", "Mei", "Tomas", "Leila", "Oskar", "Priya", "Hugo", "Zoe", "Mateo", "Freya", "Idris",
		"Nora", "Kenji", "Elena", "Samir", "Greta", "Owen", "Yara", "Luca", "Asha", "Emil", "Chloe", "Dario", "Signe", "Tariq",
		"Maren", "Felix", "Rosa", "Arjun", "Clara", "Bruno", "Naomi", "Viktor", "Alma", "Rafael", "Ida", "Malik",
	}
	familyNames = []string{
		"Okafor", "Lindqvist", "Tanaka", "Moreau", "Novak", "Castillo", "Weber", "Haddad", "Sharma", "O'Neill", "Janssen", "Silva",
		"Kowalski", "Berg", "Nguyen", "Rossi", "Dubois", "Petrov", "Garcia", "Schmidt", "Ito", "Andersen", "Mbeki", "Costa",
		"Fischer", "Larsen", "Kaya", "Murphy", "Santos", "Keller", "Bakker", "Horvat", "Patel", "Vogel", "Laurent", "Eriksen",
	}
)
