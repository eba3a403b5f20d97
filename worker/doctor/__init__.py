"""What a first deployment gets wrong, found before it does harm: checks and their findings, apart from any terminal."""
