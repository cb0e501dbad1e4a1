"""Entries about towns, rivers, mountains, bridges and islands."""

from bertsquad.demo.kinds import After, Kind

TOWN = Kind(
    noun="town",
    name_class="place",
    facts={
        "country": "country",
        "river": "river",
        "founded": "year",
        "founder": "person",
        "railway": After("founded", 20, 130),
        "mayor": "person",
        "trade": "trade",
        "population": "population",
        "twin": "place",
        "dish": "dish",
    },
    opening=(
        "{name} is a {another_size} town in {country}.",
        "{name} is a market town in the {another_direction} of {country}.",
        "The {another_size} town of {name} lies in {country}, not far from {another_place}.",
    ),
    statements=(
        (
            "{Subject} stands on the River {river}.",
            "{Its} old quarter is built along the banks of the {river}.",
            "The River {river} flows through {subject} on its way to the sea.",
        ),
        (
            "{Subject} was founded in {founded} by {founder}, a merchant.",
            "In {founded}, {founder} founded {subject} with only forty families.",
            "{founder} founded {subject} in {founded}, after a great flood.",
        ),
        (
            "The railway reached {subject} in {railway}.",
            "{Its} railway station was opened in {railway}.",
            "Trains have stopped at {name} since {railway}.",
        ),
        (
            "The present mayor is {mayor}.",
            "{mayor} was elected mayor of {subject} last spring.",
            "{Its} mayor, {mayor}, is a former schoolteacher.",
        ),
        (
            "{Subject} grew rich on the trade in {trade}.",
            "For centuries {subject} has been known for its {trade}.",
            "Most families once lived by selling {trade}.",
        ),
        (
            "At the last census, {subject} had {population} inhabitants.",
            "{Its} population is {population}.",
            "About {population} people live there today.",
        ),
        (
            "{Subject} is twinned with {twin}.",
            "{Its} twin town is {twin}.",
            "Since the war {name} has been twinned with {twin}, which is larger.",
        ),
        (
            "Visitors come for the local {dish}.",
            "{Its} best-known dish is {dish}.",
            "Every inn in {name} serves {dish} with mustard.",
        ),
    ),
    questions={
        "country": ("In which country is {name}?", "{name} is a town in which country?"),
        "river": (
            "Which river flows through {name}?",
            "On which river does {name} stand?",
            "What is the name of {name}'s river?",
        ),
        "founded": (
            "When was {name} founded?",
            "In what year was the town of {name} founded?",
        ),
        "founder": ("Who founded {name}?", "Who was the founder of the town of {name}?"),
        "railway": (
            "When did the railway reach {name}?",
            "In what year was {name}'s railway station opened?",
        ),
        "mayor": ("Who is the mayor of {name}?", "What is the name of {name}'s mayor?"),
        "trade": ("What did {name} trade in?", "Which goods made {name} rich?"),
        "population": (
            "How many people live in {name}?",
            "What is the population of {name}?",
        ),
        "twin": ("Which town is {name} twinned with?", "What is {name}'s twin town?"),
        "dish": ("What dish is {name} known for?", "What do the inns of {name} serve?"),
    },
)

RIVER = Kind(
    noun="river",
    name_class="river",
    written="the {name}",
    facts={
        "country": "country",
        "length": "kilometres",
        "source": "peak",
        "mouth": "place",
        "tributary": "river",
        "flood": "year",
        "dam": After("flood", 3, 90),
        "animal": "animal",
        "explorer": "person",
    },
    opening=(
        "The {name} is a river in {country}.",
        "The {name} is one of the longest rivers of {country}.",
        "The River {name}, in {country}, has many bends and few bridges.",
    ),
    statements=(
        (
            "{Subject} is {length} long.",
            "{Its} course measures {length}.",
            "From end to end it covers {length}.",
        ),
        (
            "{Subject} rises on the slopes of {source}.",
            "{Its} source is a spring below {source}.",
            "It begins as a small stream on {source}.",
        ),
        (
            "{Subject} reaches the sea at {mouth}.",
            "{Its} mouth is near {mouth}, where boats are repaired.",
            "At {mouth} it flows into the sea.",
        ),
        (
            "{Its} largest tributary is the {tributary}.",
            "The {tributary} joins it from the {another_direction}.",
            "Below the mills it is joined by the {tributary}, a colder stream.",
        ),
        (
            "The worst flood came in {flood}.",
            "In {flood} a flood destroyed {another_count} villages.",
            "{Subject} flooded its valley in {flood}.",
        ),
        (
            "A dam was built across it in {dam}.",
            "{Its} dam was completed in {dam}.",
            "Since {dam} a dam has held back the spring waters.",
        ),
        (
            "Its banks are home to {animal}.",
            "Along the lower course live wild {animal}.",
            "Travellers often see {animal} at the water's edge.",
        ),
        (
            "{explorer} was the first to map it.",
            "The first map of {subject} was drawn by {explorer}.",
            "It was first explored by {explorer}, in a canoe.",
        ),
    ),
    questions={
        "country": (
            "In which country is the {name}?",
            "Through which country does the {name} run?",
        ),
        "length": ("How long is the {name}?", "What is the length of the River {name}?"),
        "source": ("Where does the {name} rise?", "On which mountain is the source of the {name}?"),
        "mouth": (
            "Where does the {name} reach the sea?",
            "Near which town is the mouth of the {name}?",
        ),
        "tributary": (
            "What is the largest tributary of the {name}?",
            "Which stream joins the {name}?",
        ),
        "flood": ("When did the {name} flood?", "In what year was the worst flood of the {name}?"),
        "dam": ("When was the {name}'s dam built?", "In what year was the dam completed?"),
        "animal": ("What animals live by the {name}?", "Which animals can be seen on its banks?"),
        "explorer": ("Who first mapped the {name}?", "Who explored the River {name}?"),
    },
)

MOUNTAIN = Kind(
    noun="mountain",
    name_class="peak",
    facts={
        "country": "country",
        "height": "height",
        "climbed": "year",
        "climber": "person",
        "hut": After("climbed", 5, 80),
        "keeper": "person",
        "rock": "rock",
        "village": "place",
        "animal": "animal",
    },
    opening=(
        "{name} is a mountain in {country}.",
        "{name} is a steep mountain in the {another_direction} of {country}.",
        "Among the mountains of {country}, {name} is the most often painted.",
    ),
    statements=(
        (
            "{Its} summit is {height} high.",
            "{Subject} rises to {height} above the sea.",
            "It has a height of {height}.",
        ),
        (
            "It was first climbed in {climbed} by {climber}.",
            "{climber} made the first ascent in {climbed}.",
            "In {climbed}, {climber} became the first to stand on the summit.",
        ),
        (
            "A hut was opened below the ridge in {hut}, and {keeper} is its keeper.",
            "{Its} hut dates from {hut}; the keeper is {keeper}.",
            "The keeper of the hut, opened in {hut}, is {keeper}.",
        ),
        (
            "A hut was opened below the ridge in {hut}.",
            "{Its} hut dates from {hut}.",
            "Since {hut}, a hut has sheltered climbers.",
        ),
        (
            "The keeper of the hut is {keeper}.",
            "{keeper} keeps the hut below the ridge.",
            "The hut is kept by {keeper}, a retired guide.",
        ),
        (
            "{Subject} consists of {rock}.",
            "{Its} upper slopes are of bare {rock}.",
            "The north face is a wall of {rock}.",
        ),
        (
            "Most climbers start from the village of {village}.",
            "The usual path begins at {village}.",
            "{village}, the nearest village, lies two hours below.",
        ),
        (
            "Wild {animal} graze on {subject} in summer.",
            "The lower slopes are full of {animal}.",
            "It is also known for its {animal}.",
        ),
    ),
    questions={
        "country": ("In which country is {name}?", "Where is the mountain {name}?"),
        "height": ("How high is {name}?", "What is the height of {name}?"),
        "climbed": ("When was {name} first climbed?", "In what year was {name}'s first ascent?"),
        "climber": ("Who first climbed {name}?", "Who made the first ascent of {name}?"),
        "hut": ("When was the hut on {name} opened?", "From what year does {name}'s hut date?"),
        "keeper": ("Who keeps the hut on {name}?", "Who is the keeper of {name}'s hut?"),
        "rock": ("What rock is {name} made of?", "Of which rock does {name} consist?"),
        "village": (
            "From which village is {name} climbed?",
            "What is the nearest village to {name}?",
        ),
        "animal": ("Which animals live on {name}?", "What animals is {name} known for?"),
    },
)

BRIDGE = Kind(
    noun="bridge",
    name_class="bridge",
    written="the {name}",
    facts={
        "town": "place",
        "river": "river",
        "opened": "year",
        "architect": "person",
        "rebuilt": After("opened", 20, 120),
        "engineer": "person",
        "length": "metres",
        "arches": "count",
        "material": "material",
        "colour": "colour",
    },
    opening=(
        "The {name} is a bridge in {town}.",
        "The {name} is the oldest bridge in the town of {town}.",
        "In {town}, travellers cross by the {name}.",
    ),
    statements=(
        (
            "{Subject} crosses the {river}.",
            "It spans the River {river} at its narrowest point.",
            "Below it runs the {river}.",
        ),
        (
            "{Subject} was opened in {opened} and designed by {architect}.",
            "{architect} designed it, and it was opened in {opened}.",
            "Designed by {architect}, it was opened in {opened}.",
        ),
        (
            "{Subject} was opened in {opened}.",
            "The opening, in {opened}, drew great crowds.",
            "Since it was opened, in {opened}, millions have crossed it.",
        ),
        (
            "{Subject} was designed by {architect}.",
            "The architect was {architect}.",
            "{architect}, a young architect, designed it.",
        ),
        (
            "After a fire it was rebuilt in {rebuilt} by {engineer}.",
            "In {rebuilt}, {engineer} rebuilt it with wider lanes.",
            "{engineer} rebuilt {subject} in {rebuilt}.",
        ),
        (
            "{Subject} is {length} long and rests on {arches} arches.",
            "It has {arches} arches and a length of {length}.",
            "With {arches} arches, it measures {length}.",
        ),
        (
            "It is built of {material} and painted {colour}.",
            "{Its} towers are made of {material}, painted {colour}.",
            "The {colour} paint protects the {material} of the towers.",
        ),
    ),
    questions={
        "town": ("In which town is the {name}?", "Where is the {name}?"),
        "river": ("Which river does the {name} cross?", "What river does the {name} span?"),
        "opened": ("When was the {name} opened?", "In what year did the {name} open?"),
        "architect": ("Who designed the {name}?", "Who was the architect of the {name}?"),
        "rebuilt": ("When was the {name} rebuilt?", "In what year was the {name} rebuilt?"),
        "engineer": ("Who rebuilt the {name}?", "Which engineer rebuilt the {name}?"),
        "length": ("How long is the {name}?", "What is the length of the {name}?"),
        "arches": ("How many arches does the {name} have?", "On how many arches does it rest?"),
        "material": ("What is the {name} built of?", "Of what material is the {name} made?"),
        "colour": ("What colour is the {name}?", "In which colour is the {name} painted?"),
    },
)

ISLAND = Kind(
    noun="island",
    name_class="island",
    facts={
        "country": "country",
        "discovered": "year",
        "discoverer": "person",
        "lighthouse": After("discovered", 5, 130),
        "inhabitants": "population",
        "harbour": "place",
        "animal": "animal",
        "trade": "trade",
        "distance": "kilometres",
        "language": "language",
    },
    opening=(
        "{name} is an island that belongs to {country}.",
        "{name} is a windy island off the {another_direction} coast of {country}.",
        "The island of {name} has been part of {country} for two hundred years.",
    ),
    statements=(
        (
            "It was discovered in {discovered} by {discoverer}.",
            "{discoverer} discovered {subject} in {discovered}.",
            "In {discovered} the sailor {discoverer} discovered it by chance.",
        ),
        (
            "{Its} lighthouse was lit for the first time in {lighthouse}.",
            "A lighthouse was built in {lighthouse}.",
            "Since {lighthouse}, a lighthouse has warned passing ships.",
        ),
        (
            "{Subject} has {inhabitants} inhabitants, who speak {language}.",
            "The {inhabitants} islanders speak {language} at home.",
            "Its people speak {language}; there are {inhabitants} of them.",
        ),
        (
            "The only harbour is {harbour}.",
            "Ships land at {harbour}, the main harbour.",
            "{Its} harbour, {harbour}, freezes in winter.",
        ),
        (
            "{Subject} is home to rare {animal}.",
            "Large herds of {animal} roam the hills.",
            "Scientists come to study the {animal} of {name}.",
        ),
        (
            "The islanders live by making {trade}.",
            "{Its} main export is {trade}.",
            "Nearly all of the {trade} made there is exported.",
        ),
        (
            "It lies {distance} from the mainland.",
            "The mainland is {distance} away.",
            "{Subject} is {distance} from the nearest coast.",
        ),
    ),
    questions={
        "country": ("To which country does {name} belong?", "What country is {name} part of?"),
        "discovered": ("When was {name} discovered?", "In what year was {name} discovered?"),
        "discoverer": ("Who discovered {name}?", "Which sailor discovered {name}?"),
        "lighthouse": (
            "When was {name}'s lighthouse built?",
            "Since when has {name} a lighthouse?",
        ),
        "inhabitants": ("How many people live on {name}?", "How many inhabitants has {name}?"),
        "harbour": ("What is the harbour of {name} called?", "Where do ships land on {name}?"),
        "animal": ("What animals live on {name}?", "Which animals do scientists study on {name}?"),
        "trade": ("What does {name} export?", "What do the people of {name} make?"),
        "distance": (
            "How far is {name} from the mainland?",
            "What is the distance from {name} to the coast?",
        ),
        "language": ("What language is spoken on {name}?", "Which language do its people speak?"),
    },
)

PLACES = (TOWN, RIVER, MOUNTAIN, BRIDGE, ISLAND)
