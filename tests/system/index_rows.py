"""What an index says, read from its tables without nora: rows by names in the place of ids, so that two indexes can be compared."""
import json
import sqlite3

TABLES = {
    "project": "id name title root in_place hide_identity secret settings meta created_us",
    "subject": "id project_id name found_as pseudonym meta name_fold pseudonym_fold",
    "study": "id project_id subject_id name found_as date uid meta name_fold",
    "file": "id project_id subject_id study_id path name kind format size mtime_us state reason modality sequence nx ny nz nt dx dy dz date sidecar "
            "meta series source_series instances warnings path_fold name_fold modality_fold sequence_fold format_fold path_hash",
    "file_part": "file_id ordinal path",
    "dicom_header": "project_id path size mtime_us header grouped path_hash",
    "tag": "id name name_fold",
    "item_tag": "level item_id tag_id project_id",
    "meta_history": "id level item_id at_us user_name before_json after_json",
    "meta_name": "id name",
    "meta_key": "level item_id name_id ordinal number text",
}
JSON = {"settings", "meta", "sidecar", "warnings", "header", "before_json", "after_json"}
REAL = {"dx", "dy", "dz", "number"}
# What the journal says of a file that is no longer on the disk.
OF_VANISHED = ("project", "subject", "study", "path", "series", "size", "mtime_us", "state", "meta", "path_hash")


def from_sqlite(file):
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        return {table: [dict(zip(columns.split(), row)) for row in connection.execute(f"SELECT {', '.join(columns.split())} FROM {table}")]
                for table, columns in TABLES.items()}
    finally:
        connection.close()


def from_mariadb(server, database):
    rows = server.tables(database, {table: columns.split() for table, columns in TABLES.items()})
    return {table: [dict(zip(TABLES[table].split(), row)) for row in of] for table, of in rows.items()}


def plain(row):
    """Texts of one database and numbers of the other as the same values."""
    out = {}
    for name, value in row.items():
        if value is not None and name in JSON:
            value = json.loads(value)
        elif value is not None and name in REAL:
            value = float(value)
        elif value is not None:
            value = str(value)
        out[name] = value
    return out


def described(tables):
    """Everything by names. Files that vanished and of which nobody said anything are left out."""
    tables = {name: [plain(row) for row in rows] for name, rows in tables.items()}
    projects = {row["id"]: row["name"] for row in tables["project"]}
    subjects = {row["id"]: row["name"] for row in tables["subject"]}
    studies = {row["id"]: row["name"] for row in tables["study"]}
    tags = {row["id"]: row["name"] for row in tables["tag"]}
    names = {row["id"]: row["name"] for row in tables["meta_name"]}
    items = {("1", key): name for key, name in projects.items()}
    items.update({("2", row["id"]): (projects[row["project_id"]], row["name"]) for row in tables["subject"]})
    items.update({("3", row["id"]): (projects[row["project_id"]], subjects[row["subject_id"]], row["name"]) for row in tables["study"]})
    items.update({("4", row["id"]): (projects[row["project_id"]], row["path"], row["series"]) for row in tables["file"]})
    spoken = {row["item_id"] for table in ("item_tag", "meta_history") for row in tables[table] if row["level"] == "4"}
    out = {"revisionless": []}
    for table in ("project", "subject", "study", "file", "dicom_header"):
        for row in tables[table]:
            if table == "file" and row["state"] == "1" and row["id"] not in spoken and row["meta"] == row["sidecar"]:
                continue
            said = {name: value for name, value in row.items() if name not in ("id", "project_id", "subject_id", "study_id")}
            said["project"] = projects.get(row.get("project_id"))
            said["subject"] = subjects.get(row.get("subject_id"))
            said["study"] = studies.get(row.get("study_id"))
            if table == "file" and row["state"] == "1":
                said = {name: said[name] for name in OF_VANISHED}
            out.setdefault(table, []).append(said)
    out["part"] = [(items["4", row["file_id"]], int(row["ordinal"]), row["path"]) for row in tables["file_part"]]
    out["tag"] = [(row["level"], items[row["level"], row["item_id"]], tags[row["tag_id"]], projects[row["project_id"]]) for row in tables["item_tag"]]
    out["tag_fold"] = sorted({(row["name"], row["name_fold"]) for row in tables["tag"] if row["id"] in {one["tag_id"] for one in tables["item_tag"]}})
    out["key"] = [(row["level"], items[row["level"], row["item_id"]], names[row["name_id"]], row["ordinal"], row["number"], row["text"])
                  for row in tables["meta_key"] if (row["level"], row["item_id"]) in items]
    history = {}
    for row in sorted(tables["meta_history"], key=lambda one: int(one["id"])):
        history.setdefault(str((row["level"], items[row["level"], row["item_id"]])), []).append(
            [row["at_us"], row["user_name"], row["before_json"], row["after_json"]])
    for name, rows in out.items():
        out[name] = sorted(json.dumps(row, sort_keys=True) for row in rows)
    out["history"] = history
    return out
