//! Statements and commands, and what is lost by them.

use proptest::prelude::*;

use super::*;
use crate::scan::{Source, Worker};

fn kinds(path: &str, text: &[u8]) -> Vec<String> {
    let mut worker = Worker::new(&[&Destructive], None);
    worker.scan(&Source::new(path, text));
    let mut facts = worker.into_facts();
    facts.sort();
    facts
        .iter()
        .map(|f| format!("{} {} {:?}", f.line, f.attributes["kind"], f.confidence).to_lowercase())
        .collect()
}

#[test]
fn statements_that_lose_data() {
    for (sql, kind) in [
        ("DROP TABLE users;", "drop-table"),
        ("drop table if exists public.\"Users\" cascade", "drop-table"),
        ("DROP DATABASE prod;", "drop-database"),
        ("TRUNCATE TABLE a;", "truncate"),
        ("DELETE FROM a;", "delete-all"),
        ("UPDATE a SET b = 1;", "update-all"),
        ("ALTER TABLE a DROP COLUMN b;", "drop-column"),
        ("ALTER TABLE a ADD c int, DROP COLUMN IF EXISTS b", "drop-column"),
        ("ALTER TABLE `a` DROP `b`;", "drop-column"),
        ("ALTER TABLE a ADD COLUMN b text NOT NULL;", "not-null"),
        ("/* x */ -- y\nDROP TABLE a", "drop-table"),
    ] {
        let found = kinds("db/migrations/1.sql", sql.as_bytes());
        assert_eq!(found.len(), 1, "{sql}: {found:?}");
        assert!(found[0].contains(&format!(" {kind} high")), "{sql}: {found:?}");
        assert_eq!(kinds("db/migrations/1.down.sql", sql.as_bytes()), [] as [&str; 0]);
    }
    for quiet in [
        "CREATE TABLE a (b int not null);",
        "DELETE FROM a WHERE b = 1;",
        "UPDATE a SET b = 1 WHERE c;",
        "-- DROP TABLE a;\n/* DROP TABLE a; */",
        "INSERT INTO a VALUES ('; DROP TABLE a;');",
        "ALTER TABLE a ADD COLUMN b text NOT NULL DEFAULT '';",
        "ALTER TABLE a DROP CONSTRAINT b;",
        "ALTER TABLE a ALTER COLUMN b DROP NOT NULL;",
        "DROP TABLE IF EXISTS a; CREATE TABLE a (b int);",
        "DROP INDEX a; DROP VIEW b;",
        "-- +goose Up\nCREATE TABLE a (b int);\n-- +goose Down\nDROP TABLE b;",
        "CREATE FUNCTION f() AS $$ BEGIN DELETE FROM a; END $$;",
    ] {
        assert_eq!(kinds("db/migrations/1.sql", quiet.as_bytes()), [] as [&str; 0], "{quiet}");
    }
}

#[test]
fn migrations_of_frameworks() {
    for (path, text, want) in [
        (
            "app/migrations/0002.py",
            "operations = [\n    migrations.DeleteModel(\n name='A'),\n    migrations.DeleteModel(name='B'),\n",
            "4 drop-table high",
        ),
        ("app/migrations/0002.py", "migrations.RemoveField(model_name='a', name='b')", "1 drop-column high"),
        ("app/migrations/0002.py", "migrations.RunSQL('DROP TABLE x')", "1 drop-table high"),
        (
            "alembic/versions/1_a.py",
            "def upgrade():\n    op.drop_column('a', 'b')\ndef downgrade():\n    op.drop_table('a')\n",
            "2 drop-column high",
        ),
        (
            "db/migrate/1_a.rb",
            "  def up\n    drop_table :users\n  end\n  def down\n    drop_table :x\n",
            "2 drop-table high",
        ),
        (
            "db/migrate/1_a.rb",
            "  def change\n    remove_column :users, :name, :string\n",
            "2 drop-column high",
        ),
        (
            "migrations/1.js",
            "exports.up = k => k.schema.createTable('a');\nexports.up = async (k) => {\n  await k.schema.dropTable('a')\n}\nexports.down = (k) => {\n  k.schema.dropTable('b')\n}",
            "3 drop-table high",
        ),
        (
            "src/migration/1.ts",
            "  public async up(q: QueryRunner) {\n    await q.query(`ALTER TABLE \"a\" DROP COLUMN \"b\"`);\n  }\n  public async down(q) {\n    await q.query(`DROP TABLE a`);\n",
            "2 drop-column high",
        ),
        (
            "database/migrations/1.php",
            "    public function up()\n    {\n        Schema::drop('users');\n    }\n    public function down()\n    {\n        Schema::dropIfExists('x');\n",
            "3 drop-table high",
        ),
        (
            "db/changelog/1.xml",
            "<changeSet id=\"1\">\n<dropColumn tableName=\"a\" columnName=\"b\"/>\n<rollback>\n<dropTable tableName=\"x\"/>\n</rollback>",
            "2 drop-column high",
        ),
        (
            "Migrations/1.cs",
            "protected override void Up(MigrationBuilder b)\n{\n  migrationBuilder.DropTable(name: \"A\");\n}\nprotected override void Down(MigrationBuilder b)\n{\n  migrationBuilder.DropTable(name: \"B\");\n",
            "3 drop-table high",
        ),
    ] {
        assert_eq!(kinds(path, text.as_bytes()), [want], "{path} {text}");
    }
    assert_eq!(kinds("src/tables.py", b"op.drop_table('a')"), [] as [&str; 0]);
}

#[test]
fn commands_that_delete() {
    for (command, kind) in [
        ("rm -rf /", "rm high"),
        ("rm -rf ~", "rm high"),
        ("sudo rm -fr \"$HOME\"", "rm high"),
        ("rm -rf /usr/*", "rm high"),
        ("rm -r -f $DIR/*", "rm-variable medium"),
        ("rm -rf \"${DIR}/\"", "rm-variable medium"),
        ("terraform -chdir=x destroy -auto-approve", "terraform high"),
        ("kubectl delete ns prod", "kubectl high"),
        ("kubectl delete pods --all -n x", "kubectl high"),
        ("aws s3 rb s3://x --force", "s3 high"),
        ("gcloud projects delete x --quiet", "gcloud high"),
        ("git push --force origin main", "force-push high"),
        ("git push origin master -f", "force-push high"),
        ("git push origin +main", "force-push high"),
        ("dd if=x of=/dev/sda bs=1M", "dd high"),
        ("mkfs.ext4 /dev/sdb1", "mkfs high"),
        ("chmod -R 777 /", "chmod high"),
        ("psql -c 'DROP DATABASE prod'", "drop-database high"),
        ("npx prisma migrate reset --force", "drop-database high"),
    ] {
        assert_eq!(kinds("deploy.sh", command.as_bytes()), [format!("1 {kind}")], "{command}");
    }
    for quiet in [
        "rm -rf build/",
        "rm -rf /var/lib/apt/lists/*",
        "rm -rf \"$TMP\"",
        "rm -rf ${DIR:?}/x $OUT/a",
        "rm -f /usr/bin/x",
        "rm -rf ./build ~/.cache/x /tmp/*",
        "terraform plan -destroy",
        "kubectl delete pod x",
        "git push --force-with-lease origin feature",
        "git push --force origin gh-pages",
        "# rm -rf /",
        "echo rm -rf /",
        "dd if=/dev/zero of=disk.img",
        "chmod -R 777 build",
        "aws s3 rm s3://x/y",
    ] {
        assert_eq!(kinds("deploy.sh", quiet.as_bytes()), [] as [&str; 0], "{quiet}");
    }
    assert_eq!(kinds("README.md", b"rm -rf /"), [] as [&str; 0]);
    assert_eq!(kinds(".github/workflows/a.yml", b"  - run: rm -rf /\n"), ["1 rm high"]);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for path in ["a.sql", "db/migrate/a.rb", "a.sh"] {
            let _ = kinds(path, &bytes);
        }
    }

    #[test]
    fn pieces_never_panic(pieces in proptest::collection::vec(prop::sample::select(vec![
        "DROP TABLE ", "ALTER TABLE ", "drop_table", "'", "\"", "$$", "$a$", "--", "/*", "*/", ";", "\n", " ", "a", "é", "(", ",", "DELETE FROM ", "rm -rf ", "/", "$", "{", "[", "`", ".",
    ]), 0..60)) {
        let text = pieces.concat();
        for path in ["a.sql", "db/migrate/a.rb", "a.sh"] {
            let _ = kinds(path, text.as_bytes());
        }
    }
}
